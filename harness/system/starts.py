"""The ways to start an image: each is tried, what came of it is kept, and no container of them is left behind."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import repeat
from typing import TYPE_CHECKING

import docker

from harness.contract.judge import UNAVAILABLE, Violation, judge_prediction, judge_same
from harness.contract.loading import Seen
from harness.system.client import Client, NoAnswer
from harness.system.container import Launch, Sut, SutLost, default_launch
from harness.system.waiting import WaitedInVain, sleep_until, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.judge import Answered
    from harness.contract.profile import Profile
    from harness.contract.records import Window

_OTHER_PORTS = (18_080, 18_081)
_STRANGER = "10001:10001"  # a user and a group that no image has heard of
_EVERY_S = 0.05
_AFTERWARDS_S = 1.0
# A container that serves at the port it was not told may still come to the one it was: so long.
_ELSEWHERE_S = 5.0
# Several that start at once may be slow for a while: a 503 until then is overload.
_CALM_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to start an image, which `says` continues "it must start ..."; `rule` is the one that promises it."""

    name: str
    says: str
    launch: Launch
    rule: str = "C1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What came of one way: why it was not ready, or the last good window that it was asked, and all that was seen."""

    way: Way
    budget_s: float
    trouble: str = ""
    is_late: bool = False
    served: Seen | None = None
    seen: tuple[Seen, ...] = ()


def ways(profile: Profile) -> tuple[Way, ...]:
    """Return the ways in which the contract promises a start, SageMaker's first."""
    usual, process = default_launch(profile), profile.container
    port = next(other for other in _OTHER_PORTS if other != process.port)
    serving = usual
    # A container may unpack and load libraries there: the promise is that it can write, not that nothing there runs.
    read_only = {"read_only": True, "tmpfs": {"/tmp": "exec,mode=1777"}}  # noqa: S108 - the container's, by contract
    promised = (
        Way(name="SageMaker's", says="with the argument `serve`, as root", launch=_with(serving, user="0")),
        Way(name="no argument", says="with no argument", launch=replace(usual, arguments=())),
        Way(name="another user", says=f"as user {_STRANGER}, who has no name", launch=_with(usual, user=_STRANGER)),
        Way(
            name="read-only",
            says="with a read-only root file system and a writable /tmp",
            launch=_with(usual, **read_only),
        ),
        Way(
            name="another port",
            says=f"on port {port}, as {process.port_variable} says",
            launch=replace(usual, port=port, environment={process.port_variable: str(port)}),
            rule="C2",
        ),
    )
    # What is waived is not tried; the usual start is, for what it shows besides.
    return tuple(way for place, way in enumerate(promised) if not place or _is_promised(way, profile))


def _is_promised(way: Way, profile: Profile) -> bool:
    return way.rule not in profile.waived and (way.rule != "C2" or bool(profile.container.port_variable))


def _with(launch: Launch, **options: object) -> Launch:
    return replace(launch, options={**launch.options, **options})


def watch(way: Way, make: Callable[[Launch], Sut], fresh_window: Callable[[], Window]) -> Start:
    """Start a container alone and look at it, ping and invocation in turn, until a while after it is ready."""
    sut = make(way.launch)
    found = Start(way=way, budget_s=sut.profile.container.ready_s)
    seen: list[Seen] = []
    try:
        sut.start()
        is_ready = _look_until_ready(sut, seen, fresh_window, budget_s=found.budget_s)
    except SutLost as lost:
        return replace(found, trouble=str(lost), seen=tuple(seen))
    else:
        if is_ready:
            return _ask(replace(found, seen=tuple(seen)), sut, fresh_window)
        trouble = f"last seen: {seen[-3]}\n{sut.story()}"
        return replace(found, trouble=trouble, is_late=True, seen=tuple(seen))
    finally:
        sut.remove()


def start_together(
    chosen: Sequence[Way], make: Callable[[Launch], Sut], fresh_window: Callable[[], Window]
) -> list[Start]:
    """Start a container each way, side by side; once all are ready or have had their time, ask each for a prediction.

    Each has the profile's time as many times over as containers share a processor.
    """
    if not chosen:
        return []
    suts = [make(way.launch) for way in chosen]
    budget_s = suts[0].profile.container.ready_s * math.ceil(len(suts) / _processors())
    with ThreadPoolExecutor(len(suts)) as pool:
        try:
            tried = list(pool.map(_try, chosen, suts, repeat(budget_s)))
            same = fresh_window()  # all the same: replicas are to agree
            # Each other one answers it for the second time: the first answer of all is to be as good as any.
            for one, sut in list(zip(tried, suts, strict=True))[1::2]:
                _ask(one, sut, lambda: same)
            return [_ask(one, sut, lambda: same) for one, sut in zip(tried, suts, strict=True)]
        finally:
            list(pool.map(Sut.remove, suts))


def judge_start(found: Start, profile: Profile) -> list[Violation]:
    """Judge one way to start: it must become ready, and then answer a good window, and rightly."""
    way, expected = found.way, f"ready within {found.budget_s:g} s when started {found.way.says}"
    if found.trouble:
        # What is late alone on the machine is late by the contract; side by side the usual way is no measure.
        rule = "C4" if found.is_late and found.seen else way.rule
        return [Violation(rule=rule, expected=expected, actual=found.trouble)]
    served = found.served
    if served is None or served.window is None:
        return [Violation(rule=way.rule, expected=expected, actual="no invocation was sent")]
    if served.answer is not None and (served.is_ok or served.answer.status < 500):  # noqa: PLR2004 - HTTP's
        return judge_prediction(served.window, served.answer, profile)
    return [Violation(rule=way.rule, expected=f"200 to a good window when started {way.says}", actual=str(served))]


def judge_replicas(first: Start, second: Start, profile: Profile) -> list[Violation]:
    """Judge two containers of one image that were asked for one window: where both answered it, they agree (P2)."""
    before, after = _prediction(first), _prediction(second)
    if before is None or after is None:
        return []
    return judge_same(before, after, profile, what=f"when started {second.way.says}")


def _prediction(start: Start) -> Answered | None:
    return start.served.answer if start.served is not None and start.served.is_ok else None


def _look_until_ready(sut: Sut, seen: list[Seen], fresh_window: Callable[[], Window], *, budget_s: float) -> bool:
    """Add what is seen to `seen`; return whether a ping was 200 within the budget."""
    until_s, is_ready, url = sut.started_s + budget_s, False, sut.url
    while time.monotonic() < until_s:
        began_s = time.monotonic()
        ping, head = look(url, sut.profile), look(url, sut.profile, by_head=True)
        invocation = look(url, sut.profile, fresh_window())
        seen += [ping, head, invocation]
        if not (ping.answer and invocation.answer):
            sut.ensure_up()
        if ping.is_ok and not is_ready:
            until_s, is_ready = ping.ended_s + _AFTERWARDS_S, True
        sleep_until(began_s + _EVERY_S)
    return is_ready


def look(url: str, profile: Profile, window: Window | None = None, *, by_head: bool = False) -> Seen:
    """Send a ping, by HEAD at wish, or a window, over a connection of its own."""
    client, answer, failure, sent_s = Client(url, profile), None, "", time.monotonic()
    try:
        answer = (client.ping(by_head=by_head) if window is None else client.predict(window)).answer
    except NoAnswer as error:
        failure = error.failure
    finally:
        client.close()
    return Seen(sent_s=sent_s, ended_s=time.monotonic(), window=window, is_head=by_head, answer=answer, failure=failure)


def _try(way: Way, sut: Sut, budget_s: float) -> Start:
    """Start a container among others and wait for it."""
    found = Start(way=way, budget_s=budget_s)
    try:
        sut.start()
        _wait_ready(sut, budget_s)
    except SutLost as lost:
        return replace(found, trouble=str(lost))
    except WaitedInVain as error:
        return replace(found, trouble=f"{error}\n{sut.story()}", is_late=True)
    return found


def _wait_ready(sut: Sut, budget_s: float) -> None:
    """Wait for a ping of 200; raise `SutLost` where it died, or serves at another port than it was told."""
    usual, elsewhere_s, last = sut.profile.container.port, math.inf, "no answer"

    def see() -> bool | None:
        nonlocal elsewhere_s, last
        sut.ensure_up()
        ping = look(sut.url, sut.profile)
        last = str(ping)
        if ping.is_ok:
            return True
        if sut.port != usual and look(sut.url_at(usual), sut.profile).is_ok:
            elsewhere_s = min(elsewhere_s, ping.sent_s)
            if ping.sent_s - elsewhere_s > _ELSEWHERE_S:
                msg = f"200 to a ping on port {usual}, and for {_ELSEWHERE_S:g} s nothing on port {sut.port}"
                raise SutLost(msg)
        return None

    wait_for(see, subject=f"{sut.image} to be ready", budget_s=budget_s, last_seen=lambda: last)


def _ask(found: Start, sut: Sut, fresh_window: Callable[[], Window]) -> Start:
    """Ask for a prediction where it is ready; a 503 while others still start is asked again."""
    if found.trouble:
        return found
    until_s = time.monotonic() + _CALM_S

    def see() -> Seen | None:
        served = look(sut.url, sut.profile, fresh_window())
        is_busy = served.answer is not None and served.answer.status == UNAVAILABLE
        return None if is_busy and time.monotonic() < until_s else served

    try:
        served = wait_for(see, subject="a prediction", budget_s=2 * _CALM_S)
    except SutLost as lost:
        return replace(found, trouble=str(lost))
    return replace(found, served=served)


def _processors() -> int:
    """Return how many processors the containers share: those of the machine that Docker runs on."""
    with closing(docker.from_env()) as engine:
        return int(engine.info()["NCPU"])
