"""Is the container up? Running, within its memory, and not started again since the last look, as Docker sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.alerts.monitor.checks import MEMORY, RUNS, STAYS_UP
from harness.alerts.monitor.sight import Sight, found, joined
from harness.system.watched import CannotLook

if TYPE_CHECKING:
    from harness.system.watched import Glance

_KILLED = 137


class Watch(Protocol):
    """Something that sees a container from outside."""

    name: str

    def look(self, *, since_at: float) -> Glance | None:
        """Return how it is, None where there is none. Raises CannotLook."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """Which container it was at the last look, and which of its lives; `at` in UTC epoch seconds."""

    id: str
    restarts: int
    started_at: str
    at: float


def check_container(watch: Watch, before: Lifetime | None, *, now: float) -> tuple[Sight, Lifetime | None, str | None]:
    """Look, and return what that says, what to compare the next look with, and where the container can be reached."""
    try:
        glance = watch.look(since_at=before.at if before else now)
    except CannotLook as error:
        return Sight(doubts=(str(error),)), before, None
    if glance is None:
        return found(RUNS, f"there is no container {watch.name}"), before, None
    state = glance.state
    life = Lifetime(id=glance.id, restarts=state.restarts, started_at=state.started_at, at=now)
    killed = [f"{glance.memory_kills} of its processes were killed"] if glance.memory_kills else []
    of_it = [f"it was killed for want of memory, exit code {state.exit_code}"] if state.oom_killed else killed
    sights = [found(RUNS, *_down(glance)), found(MEMORY, *of_it), found(STAYS_UP, *_restarted(before, life))]
    return joined(sights), life, glance.url if state.is_up else None


def _down(glance: Glance) -> list[str]:
    state = glance.state
    if state.status == "running":
        return []
    cause = " (SIGKILL)" if state.exit_code == _KILLED else ""
    code = "" if state.is_up else f", exit code {state.exit_code}{cause}"
    return [f"{glance.image} is {state.status}{code}"]


def _restarted(before: Lifetime | None, now: Lifetime) -> list[str]:
    """Say that it was started again; another container under the same name is another release."""
    if before is None or before.id != now.id or before.started_at == now.started_at:
        return []
    by_docker = now.restarts - before.restarts
    how = f"by Docker {by_docker} {'time' if by_docker == 1 else 'times'}" if by_docker > 0 else "by somebody"
    return [f"started again {how} since the last look, at {now.started_at}"]
