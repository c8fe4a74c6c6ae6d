"""The hog's program: it joins a group, takes its memory until the kernel kills somebody, and keeps it until told to go.

It imports next to nothing: where it may not be exempt from being killed, it has to be smaller than another there.
"""

import errno
import os
import select
import sys

ENTERED = b"entered\n"
PIECE = bytes(1 << 20)
POLL_S = 0.01
# The kernel picks no process that has this; it takes a right that even root may lack.
NEVER_KILLED = "-1000"


def kills(events: str) -> int:
    """Return how many processes of the group the kernel has killed."""
    return next(int(line.split()[1]) for line in read(events).splitlines() if line.startswith("oom_kill "))


def read(path: str) -> str:
    """Read a file of the kernel's."""
    with open(path) as file:  # noqa: PTH123 - pathlib makes it half as large again
        return file.read()


def write(path: str, text: str) -> None:
    """Write to a file of the kernel's."""
    with open(path, "w") as file:  # noqa: PTH123 - likewise
        file.write(text)


def takes(held: int) -> bool:
    """Take a piece; False: there is none."""
    try:
        return os.write(held, PIECE) > 0
    except OSError as error:
        if error.errno not in (errno.ENOMEM, errno.ENOSPC):
            raise
        return False


def is_alone(members: str) -> bool:
    """Whether nobody else is left in the group."""
    return read(members).split() == [str(os.getpid())]


def main(members: str, events: str) -> None:
    """Fill the group, from its file of members and that of its events, until standard input ends or it is alone."""
    try:  # noqa: SIM105 - contextlib is another megabyte
        write("/proc/self/oom_score_adj", NEVER_KILLED)
    except PermissionError:
        pass
    before = kills(events)
    write(members, str(os.getpid()))
    os.write(1, ENTERED)
    # Pages of a file in memory belong to no process: they make nobody a victim, and where there is none left the write
    # fails, where touching memory would hang.
    held = os.memfd_create("hog")
    is_full = False
    while not select.select([0], [], [], POLL_S if is_full else 0)[0] and not is_alone(members):
        is_full = kills(events) > before or not takes(held)


if __name__ == "__main__":
    main(*sys.argv[1:])
