"""Starts an image of which nothing is known: with which arguments it stays up, where it listens, what its ping is."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.survey.asker import Asker
from harness.survey.findings import NothingFound
from harness.survey.routes import PORTS
from harness.survey.survey import Spot, find_spot
from harness.survey.understanding import LEVELS, window_at
from harness.system.container import CannotStart, Sut, SutLost, default_launch
from harness.system.failed_start import listening_ports
from harness.system.image import exposed_ports
from harness.system.starts import judge_start, start_together, ways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.survey.findings import Findings
    from harness.system.container import Launch
    from harness.system.guard import Run

    Say = Callable[[str], None]

_LAST_LINE = re.compile(r"\S[^\n]*\Z")
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A container that answers: where, and after how long."""

    sut: Sut
    spot: Spot
    arguments: tuple[str, ...]
    ready_s: float
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.sut.url_at(self.port)


@contextmanager
def started(image: str, base: Profile, run: Run, *, ports: Sequence[int], say: Say) -> Iterator[Started]:
    """Start an image as the profile says, else without arguments, and give the first that answers.

    Raises `NothingFound` where none does.
    """
    wanted = tuple(dict.fromkeys((*ports, base.container.port, *exposed_ports(image), *PORTS)))
    troubles: list[str] = []
    for arguments in dict.fromkeys((base.container.arguments, ())):
        launch = replace(default_launch(base), arguments=arguments, ports=wanted)
        sut = Sut(image, base, run, launch=launch)
        say(f"starting {image} {_with(arguments)}")
        try:
            found = _answering(sut, base, wanted, arguments)
            if isinstance(found, Started):
                yield found
                return
            troubles.append(found)
        finally:
            sut.remove()
    msg = f"{'; '.join(dict.fromkeys(troubles))}: {_WAY_OUT}"
    raise NothingFound(msg)


_WAY_OUT = "say how to start it in a base profile's `[container]` (arguments, port, environment, mounts), --sut-profile"


def note_start(found: Started, base: Profile, findings: Findings) -> None:
    """Write into the profile how it was started and where it listens."""
    if found.arguments != base.container.arguments:
        how = f"it does not stay up, or does not answer, {_with(base.container.arguments)}"
        findings.find("container.arguments", found.arguments, how)
    findings.find("container.port", found.port, f"it answered there, {found.ready_s:.1f} s after its start")


def try_ways(image: str, run: Run, findings: Findings) -> None:
    """Start it in each way that the contract promises, side by side, and waive what it does not keep."""
    profile = findings.profile

    def make(launch: Launch) -> Sut:
        return Sut(image, profile, run, launch=launch)

    def window() -> Window:
        return window_at(profile, LEVELS[0])

    try:
        found = start_together(ways(profile), make, window)
    except CannotStart as error:
        findings.leave_open(f"C1, C2: {error}")
        return
    broken: dict[str, list[str]] = {}
    for start in found:
        if any(violation.rule == start.way.rule for violation in judge_start(start, profile)):
            broken.setdefault(start.way.rule, []).append(start.way.says)
    for rule_id, says in broken.items():
        findings.waive(
            rule_id, f"for now: it does not become ready, or does not answer, when started {' or '.join(says)}"
        )
    if "C2" in broken:
        findings.find("container.port_variable", "", "that variable does not move it to another port")


def _answering(sut: Sut, base: Profile, ports: Sequence[int], arguments: tuple[str, ...]) -> Started | str:
    """Start it and wait for an answer; return why there is none."""
    try:
        sut.start()
    except (CannotStart, SutLost) as error:
        return f"{_with(arguments)} {_one_line(str(error))}"
    askers: dict[str, Asker] = {}
    try:
        askers = {str(port): Asker(sut.url_at(port), base) for port in ports}
        spot = find_spot(askers, base, budget_s=base.container.ready_s, ensure_up=sut.ensure_up)
    except SutLost:
        return _ended(sut, base, arguments)
    finally:
        for asker in askers.values():
            asker.close()
    if spot is None:
        where = f"none of the ports {', '.join(map(str, ports))}"
        return f"{_with(arguments)} {sut.image} answers on {where}{_elsewhere(sut, ports)}"
    return Started(
        sut=sut, spot=spot, arguments=arguments, ready_s=time.monotonic() - sut.started_s, port=int(spot.door)
    )


def _elsewhere(sut: Sut, ports: Sequence[int]) -> str:
    """Say where it listens, where that can be seen."""
    found = listening_ports(sut)
    inside = [port for port, is_open in found.items() if not is_open]
    other = [port for port, is_open in found.items() if is_open and port not in ports]
    if other:
        return f" within {sut.profile.container.ready_s:g} s; it listens on {other[0]}: name it, --port {other[0]}"
    if inside:
        return f"; it listens on 127.0.0.1:{inside[0]} alone, which nobody reaches from outside: let it bind 0.0.0.0"
    return f" within {sut.profile.container.ready_s:g} s" + ("; it listens on no port" if not found else "")


def _ended(sut: Sut, base: Profile, arguments: tuple[str, ...]) -> str:
    state = sut.state()
    match = _LAST_LINE.search(sut.logs().strip())
    said = f", and its last words were {match[0][:_SHOWN]!r}" if match else ", without a word"
    if state.oom_killed:
        said += f" (the kernel killed it: {base.chaos.memory_mb} MiB are not enough, `chaos.memory_mb`)"
    return f"{_with(arguments)} {sut.image} ended with exit code {state.exit_code}{said}"


def _with(arguments: tuple[str, ...]) -> str:
    return (
        f"with the argument{'s' if len(arguments) > 1 else ''} `{' '.join(arguments)}`"
        if arguments
        else "with no argument"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]
