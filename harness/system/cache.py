"""The folder where the set-up keeps what is dear to make, one maker at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def folder() -> Path:
    """Name the cache folder, `$XDG_CACHE_HOME/inference-harness`."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "inference-harness"


@contextmanager
def one_maker(subject: str) -> Iterator[Path]:
    """Yield the cache folder while no other process makes the same subject; the kernel frees the lock of a dead one."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"{subject}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place
