"""One run of the monitor: a list of named steps, each of which looks at one thing and may find it wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.alerts.monitor.checks import FEED, FEED_DOWN, FEED_UNSEEN, FEED_UP, PING
from harness.alerts.monitor.container_check import Watch, check_container
from harness.alerts.monitor.endpoint_check import Endpoint, check_invocation, check_pings
from harness.alerts.monitor.feed import Feed, FeedUnreadable
from harness.alerts.monitor.feed_check import carried_forward, check_feed, check_past, check_second, closes
from harness.alerts.monitor.forecasts import Forecast, check_forecasts, check_same, check_skill, come_true
from harness.alerts.monitor.jumps import jumps
from harness.alerts.monitor.sight import Finding, Sight, found, joined
from harness.contract.data_rules import broken_in_record, broken_together
from harness.contract.judge import prediction_of
from harness.contract.levels import series_in
from harness.contract.records import SECOND_NS, Window, build, last_whole_second_ns, moment_ns
from harness.system.client import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.alerts.monitor.state import State
    from harness.contract.profile import Profile
    from harness.contract.records import Record
    from harness.system.client import Answer
    from harness.system.waiting import Clock

_FORECASTS_S = 10.0  # of a run, for predictions: an endpoint that is slow gets fewer windows
_RECORDS_MAX = 1_000
_OK = 200
_MARGIN_S = 5.0  # an older window might be refused as stale on its way


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is looked at: an endpoint, at an address or in a container, the feed, and a second source of the same."""

    profile: Profile
    clock: Clock
    connect: Callable[[str], Endpoint]
    url: str | None = None
    watch: Watch | None = None
    feed: Feed | None = None
    second: Feed | None = None
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Look:
    """One run: what was seen until now, and what the next run will be handed."""

    scene: Scene
    state: State
    sights: list[Sight] = field(default_factory=list)
    endpoint: Endpoint | None = None
    records: list[Record] | None = None
    read_s: float = 0.0
    asked_s: frozenset[int] = frozenset()

    def run(self) -> tuple[Sight, State]:
        """Take every step; what one cannot tell says nothing about the others."""
        for step in _STEPS:
            try:
                self.sights.append(step(self))
            except Exception as error:  # noqa: BLE001 - a monitor that falls over sees nothing more
                self.sights.append(Sight(doubts=(f"{step.__name__.strip('_')}: {type(error).__name__}: {error}",)))
        if self.endpoint is not None:
            self.endpoint.close()
        return joined(self.sights), self.state

    def windows(self) -> list[Window]:
        """Return the newest good windows of the feed, the newest first."""
        rule, most = self.scene.profile.window, max(self.scene.profile.monitor.predictions, 1)
        records = (self.records or [])[-(rule.records + most - 1) :]
        # Each record lies in many windows, and is judged once. One that is sent in a moment must still be fresh then.
        is_good = [not broken_in_record(rule, record) for record in records]
        cut = [slice(end - rule.records, end) for end in range(len(records), rule.records - 1, -1)]
        windows = [Window(records=tuple(records[place])) for place in cut if all(is_good[place])]
        now_s = self.scene.clock.now() + _MARGIN_S
        return [window for window in windows if not broken_together(rule, window, now_s=now_s)]


def _container(look: Look) -> Sight:
    scene = look.scene
    if scene.watch is None:
        look.endpoint = scene.connect(scene.url or "")
        return Sight()
    sight, lifetime, url = check_container(scene.watch, look.state.lifetime, now=scene.clock.now())
    look.state = replace(look.state, lifetime=lifetime)
    look.endpoint = scene.connect(url) if url else None
    is_hidden = url is None and not sight.findings and not sight.doubts
    return joined([sight, Sight(doubts=("the container can be reached at no address",) if is_hidden else ())])


def _pings(look: Look) -> Sight:
    if look.endpoint is None:
        return Sight()  # the container is down: that is told already
    sight, pings = check_pings(look.endpoint, look.scene.profile, look.scene.clock, look.state.pings)
    look.state = replace(look.state, pings=pings)
    if any(finding.check == PING for finding in sight.findings):
        look.endpoint = None  # what else it does not answer follows from that
    return sight


def _feed(look: Look) -> Sight:
    scene = look.scene
    if scene.feed is None:
        return Sight()
    try:
        records = _read(scene.feed, scene.profile)
    except FeedUnreadable as error:
        return found(FEED, str(error))
    look.records, look.read_s = records, scene.clock.monotonic()
    past = check_past(scene.profile.window, look.state.records, records)
    new = _unjudged(look, records)
    look.state = look.state.with_records(scene.profile.window, records)
    return joined([found(FEED), past, check_feed(scene.profile, new, now_s=scene.clock.now())])


def _second_source(look: Look) -> Sight:
    if look.scene.second is None or look.records is None:
        return Sight()
    try:
        others = _read(look.scene.second, look.scene.profile)
    except FeedUnreadable as error:
        return Sight(doubts=(f"the second source cannot be read: {error}",))
    return check_second(look.scene.profile, look.records, others)


def _invocation(look: Look) -> Sight:
    if look.endpoint is None:
        return Sight()
    profile, windows = look.scene.profile, look.windows()
    sight, answer = check_invocation(look.endpoint, profile, windows[0] if windows else _made_up(look.scene))
    forecast = _forecast(profile, windows[0], answer) if windows and answer is not None else None
    known = {one.as_of_s for one in look.state.forecasts}
    if forecast is not None and forecast.as_of_s not in known:
        look.state = look.state.with_forecasts([*look.state.forecasts, forecast])
        look.asked_s = frozenset([forecast.as_of_s])
    return sight


def _predictions(look: Look) -> Sight:
    """Ask for predictions from the newest windows, oldest first, while the time lasts; the newest a second time."""
    scene, profile = look.scene, look.scene.profile
    if look.endpoint is None or not profile.monitor.predictions:
        return Sight()
    ends_s = scene.clock.monotonic() + _FORECASTS_S
    known = {forecast.as_of_s: forecast for forecast in look.state.forecasts}
    made = []
    for window in reversed(look.windows()):
        forecast = _predicted(look.endpoint, profile, window)
        made += [forecast] if forecast is not None else []
        if scene.clock.monotonic() > ends_s:
            break
    new = {forecast.as_of_s: forecast for forecast in made if forecast.as_of_s not in known}
    look.asked_s |= new.keys()
    look.state = look.state.with_forecasts(forecast for _, forecast in sorted({**known, **new}.items()))
    return check_same(known, made, profile)


def _feed_again(look: Look) -> Sight:
    """Read the feed once more, when the next second is over: what it said must stand, and it knows what came true."""
    scene = look.scene
    if scene.feed is None or look.records is None:
        return Sight()
    over_s = look.read_s + scene.profile.prediction.horizon_s + scene.profile.window.period_s
    scene.clock.sleep(over_s - scene.clock.monotonic())
    try:
        records = _read(scene.feed, scene.profile)
    except FeedUnreadable as error:
        return found(FEED, f"the second time: {error}")
    past = check_past(scene.profile.window, look.state.records, records)
    look.state = look.state.with_records(scene.profile.window, records)
    return past


def _jumps(look: Look) -> Sight:
    """Judge the prices that the feed gave since the last run; the first run has nothing to compare its first with."""
    prices = look.state.prices
    newest_s = max(prices, default=0)
    if newest_s <= look.state.seen_s:
        return Sight()
    found_now = jumps(prices, look.scene.profile.monitor, since_s=look.state.seen_s)
    look.state = replace(look.state, seen_s=newest_s)
    findings = []
    for jump in found_now:
        check = FEED_UNSEEN if jump.kind == "stale reference" else FEED_UP if jump.is_up else FEED_DOWN
        findings.append(Finding(check=check, evidence=str(jump)))
    return Sight(covered=(FEED_UP, FEED_DOWN, FEED_UNSEEN), findings=tuple(findings))


def _forecasts(look: Look) -> Sight:
    profile, prices = look.scene.profile, look.state.prices
    horizon_s = round(profile.prediction.horizon_s)
    known = come_true(look.state.forecasts, prices, horizon_s=horizon_s)
    look.state = look.state.with_forecasts(known)
    new = check_forecasts([one for one in known if one.as_of_s in look.asked_s], prices, profile)
    return joined([new, check_skill(known, profile, now_s=look.scene.clock.now())])


def _read(feed: Feed, profile: Profile) -> list[Record]:
    records = feed.read()[-_RECORDS_MAX:]
    return carried_forward(profile.window, records) if profile.monitor.silent_seconds == "omitted" else records


def _unjudged(look: Look, records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that no run has judged, and a window of them at least."""
    end, seen_ns = look.scene.profile.window.named("end"), look.state.seen_s * SECOND_NS
    known = 0
    while known < len(records) and 0 < (moment_ns(records[known].get(end)) or 0) <= seen_ns:
        known += 1
    return records[max(0, min(known, len(records) - look.scene.profile.window.records)) :]


def _predicted(endpoint: Endpoint, profile: Profile, window: Window) -> Forecast | None:
    try:
        answer = endpoint.predict(window, timeout_s=profile.http.hang_s).answer
    except NoAnswer:
        return None
    return _forecast(profile, window, answer)


def _forecast(profile: Profile, window: Window, answer: Answer) -> Forecast | None:
    predicted = prediction_of(answer, profile) if answer.status == _OK else None
    if predicted is None:
        return None
    last = closes(profile.window, window.records[-1:])
    return next((Forecast(as_of_s=at, close=close, predicted=predicted) for at, close in last.items()), None)


def _made_up(scene: Scene) -> Window:
    """Make a good window up, where no feed gives one."""
    rule = scene.profile.window
    seconds = series_in(scene.profile, seed=scene.seed, seconds=rule.records)
    return build(rule, seconds, end_ns=last_whole_second_ns(scene.clock.now()))


_STEPS: tuple[Callable[[Look], Sight], ...] = (
    _container,
    _pings,
    _feed,
    _second_source,
    _invocation,
    _predictions,
    _feed_again,
    _jumps,
    _forecasts,
)
