"""Does the endpoint answer? Pings that fail, are slow or flap, and one valid invocation."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from harness.alerts.monitor.checks import INVOCATION, INVOCATION_QUICK, PING, PING_QUICK, PING_STEADY
from harness.alerts.monitor.sight import Finding, Sight, found, joined
from harness.contract.judge import judge_prediction, shown
from harness.contract.rules import RULES
from harness.system.client import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Answer, Exchange
    from harness.system.waiting import Clock

_OK = 200
# The way to an endpoint and this machine's own work are no fault of it.
_GRACE_S = 1.0


class Endpoint(Protocol):
    """Something that answers pings and predicts."""

    def ping(self, *, timeout_s: float | None = None) -> Exchange:
        """Send a ping. Raises NoAnswer."""
        ...

    def predict(self, window: Window, *, timeout_s: float | None = None) -> Exchange:
        """Send a window. Raises NoAnswer."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def check_pings(
    endpoint: Endpoint, profile: Profile, clock: Clock, before: Sequence[bool]
) -> tuple[Sight, tuple[bool, ...]]:
    """Ping some times; return what that says, together with the pings before, and the newest of all of them."""
    answers = []
    for place in range(profile.monitor.pings):
        clock.sleep(profile.monitor.ping_pause_s if place else 0)
        answers.append(_pinged(endpoint, profile))
    now = [isinstance(answer, float) for answer in answers]
    lately = (*before, *now)[-max(profile.monitor.flapping_pings, len(now)) :]
    if not any(now):
        return found(PING, f"{len(now)} of {len(now)} pings failed, the last: {answers[-1]}"), lately
    took_s = [answer for answer in answers if isinstance(answer, float)]
    slow = [f"{second:.2f} s" for second in took_s if second > profile.http.ping_s]
    is_slow = 2 * len(slow) > len(took_s)
    quick = found(PING_QUICK, *([f"{len(slow)} of {len(took_s)} took {', '.join(slow)}"] if is_slow else []))
    return joined([found(PING), quick, found(PING_STEADY, *_flaps(lately, profile))]), lately


def check_invocation(endpoint: Endpoint, profile: Profile, window: Window) -> tuple[Sight, Answer | None]:
    """Send one valid window, judge the answer, and return it."""
    try:
        answer = endpoint.predict(window, timeout_s=profile.http.hang_s).answer
    except NoAnswer as error:
        return found(INVOCATION, str(error)), None
    broken = [
        Finding(
            check=INVOCATION,
            rule=violation.rule,
            must=RULES[violation.rule].sentence,
            evidence=f"expected {violation.expected}; got {violation.actual}",
        )
        for violation in judge_prediction(window, answer, profile)
    ]
    return joined([Sight(covered=(INVOCATION,), findings=tuple(broken)), _in_time(answer, profile)]), answer


def _pinged(endpoint: Endpoint, profile: Profile) -> float | str:
    """Return how long a ping took, or why it failed."""
    try:
        answer = endpoint.ping(timeout_s=profile.http.hang_s).answer
    except NoAnswer as error:
        return str(error)
    return answer.elapsed_s if answer.status == _OK else shown(answer)


def _flaps(lately: Sequence[bool], profile: Profile) -> list[str]:
    """Say that pings failed n times of m, and not all at a stretch: that would be one outage."""
    failures = lately.count(False)
    stretches = sum(not is_ok for is_ok, _ in groupby(lately))
    if failures < profile.monitor.flapping_failures or stretches < 2:  # noqa: PLR2004 - it came back in between
        return []
    return [f"{failures} of the last {len(lately)} pings failed, in {stretches} stretches"]


def _in_time(answer: Answer, profile: Profile) -> Sight:
    limit_s = profile.http.budget_s + _GRACE_S
    late = [f"{answer.elapsed_s:.2f} s, budget {profile.http.budget_s:g} s"] if answer.elapsed_s > limit_s else []
    return found(INVOCATION_QUICK, *late)
