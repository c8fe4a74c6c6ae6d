"""What a profile says that cannot be, although every key is known and every value of its kind: one sentence each."""

from __future__ import annotations

import difflib
import signal
from typing import TYPE_CHECKING

from harness.contract.answer_path import PathInvalid, steps_of
from harness.contract.contradictions_of_form import contradictions_of_form
from harness.contract.rules import RULES
from harness.contract.series import REACH
from harness.contract.tables import ProfileInvalid
from harness.contract.window_rule import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.profile import Profile
    from harness.contract.window_rule import FieldRule, WindowRule

SCHEMA = 1
# What every alert has that says what is wrong and where; other row keys are columns of the records.
ALERT_COLUMNS = ("target", "variant", "rule", "check")
_ROW_KEYS = "`notification_deduping_row_keys` in `[alerts]`"
_PAIR = 2
_STATUSES = range(400, 600)


def contradictions(profile: Profile) -> Iterator[str]:
    """Yield all of them."""
    for rule_id, reason in profile.waived.items():
        yield from _of_waiver(rule_id, reason)
    yield from _of_http(profile)
    yield from _of_answer(profile)
    yield from _of_alerts(profile)
    yield from _of_load(profile)
    yield from _of_release(profile)
    yield from _of_series(profile)
    yield from _of_window(profile.window)
    yield from contradictions_of_form(profile)
    for name in profile.chaos.kill_signals:
        yield from _of_signal(name)


def _of_waiver(rule_id: str, reason: str) -> Iterator[str]:
    if rule_id not in RULES:
        yield f"`[waived]` names {rule_id!r}, which is no rule: known are {', '.join(RULES)}"
    elif not reason.strip():
        yield f"`{rule_id}` in `[waived]` has no reason: say why the rule does not hold"


def _of_http(profile: Profile) -> Iterator[str]:
    http = profile.http
    for name in ("ping_path", "invocations_path"):
        if not getattr(http, name).startswith("/"):
            yield f"`http.{name}` must begin with a slash, got {getattr(http, name)!r}"
    if http.hang_s < http.budget_s:
        found = f"{http.hang_s:g} and {http.budget_s:g}"
        yield f"`http.hang_s` must not be less than `http.budget_s`, got {found}: what is still in time does not hang"


def _of_answer(profile: Profile) -> Iterator[str]:
    answer = profile.answer
    if not answer.prediction:
        yield "`answer.prediction` is empty: say where in an answer the prediction is, such as `predictions[0]`"
    for name in ("prediction", "as_of", "horizon", "model", "anomalies"):
        try:
            steps_of(getattr(answer, name))
        except PathInvalid as error:
            yield f"`answer.{name}` is no path: {error}"
    for name in ("malformed", "broken", "type", "accept", "path", "method", "too_large"):
        statuses = getattr(profile.refusals, name)
        if not statuses or any(status not in _STATUSES for status in statuses):
            yield f"`refusals.{name}` must be statuses from 400 to 599, got {list(statuses)}"
    if profile.refusals.dimension and profile.refusals.body != "error":
        yield "`refusals.dimension` is true, and `refusals.body` promises no error object to hold it: make it false"


def _of_alerts(profile: Profile) -> Iterator[str]:
    names = profile.alerts.notification_deduping_row_keys
    if not names:
        yield f"{_ROW_KEYS} is empty: name what makes two alerts the same, such as {', '.join(ALERT_COLUMNS)}"
    for name in names:
        yield from _of_row_key(name, profile.window)
    if profile.alerts.execution_frequency_minutes <= 0:
        yield "`alerts.execution_frequency_minutes` must be more than 0: the monitor runs every so many minutes"
    if not profile.monitor.pings:
        yield "`monitor.pings` must be 1 or more: without a ping nothing is known"


def _of_row_key(name: str, window: WindowRule) -> Iterator[str]:
    """Refuse what differs from run to run: a key made of it would never repeat, and all would be told every time."""
    if name in window.fields:
        yield f"{_ROW_KEYS} holds {name!r}, which is measured: name what is wrong, never when or how much"
        return
    near = difflib.get_close_matches(name, ALERT_COLUMNS, n=1, cutoff=0.7)
    if name not in ALERT_COLUMNS and (near or not name.isidentifier()):
        hint = f"did you mean {near[0]!r}?" if near else "name a column of the records"
        yield f"{_ROW_KEYS} holds {name!r}: {hint}"


def _of_load(profile: Profile) -> Iterator[str]:
    load = profile.load
    for name, most in {"csv_share": 1.0, "broken_share": 0.9, "over_budget_share": 1.0}.items():
        if (share := getattr(load, name)) > most:
            yield f"`load.{name}` must be a share from 0 to {most:g}, got {share:g}"
    if load.rate_per_s <= 0 or load.duration_s <= 0:
        found = f"{load.rate_per_s:g} and {load.duration_s:g}"
        yield f"`load.rate_per_s` and `load.duration_s` must be above 0, got {found}"


def _of_release(profile: Profile) -> Iterator[str]:
    release = profile.release
    if not 0 < release.alpha < 1:
        what = "so often may an equal challenger be rejected"
        yield f"`release.alpha` must lie between 0 and 1, got {release.alpha:g}: {what}"
    for name in ("windows", "windows_most", "floor_windows", "look_every"):
        if not getattr(release, name):
            yield f"`release.{name}` must be 1 or more"


def _of_series(profile: Profile) -> Iterator[str]:
    series = profile.series
    if series.volatility >= REACH:
        yield f"`series.volatility` must be below {REACH:g}, got {series.volatility:g}: it is that of one period"
    if not series.cycle_periods:
        yield "`series.cycle_periods` must be above 0: so many periods does a cycle last"
    if series.silent_share > 1:
        yield f"`series.silent_share` must be a share from 0 to 1, got {series.silent_share:g}"


def _of_window(window: WindowRule) -> Iterator[str]:
    for look in (
        lambda: window.named("start"),
        lambda: window.named("end"),
        lambda: window.target,
        lambda: window.ordered,
    ):
        try:
            look()
        except ProfileInvalid as error:
            yield str(error)
    for name, field in window.fields.items():
        yield from _of_field(f"window.fields.{name}", field)
    if window.find(*TARGETS) and window.levels[0] <= 0:
        yield f"`window.fields.{window.target}` is what is predicted: its `usual` or `plausible` must lie above 0"
    for name in ("records", "period_s", "codecs"):
        if not getattr(window, name):
            yield f"`window.{name}` must not be 0 or empty"


def _of_field(place: str, field: FieldRule) -> Iterator[str]:
    for key, limits in {"plausible": field.plausible, "usual": field.usual}.items():
        if limits is not None and not (len(limits) == _PAIR and limits[0] < limits[1]):
            yield f"`{place}.{key}` must be two numbers, the smaller one first, got {list(limits)}"
    if field.role == "other" and field.usual is None:
        yield f"`{place}` has the role 'other': say where its values usually lie, `usual = [least, most]`"


def _of_signal(name: str) -> Iterator[str]:
    if name in ("SIGTERM", "SIGSTOP", "SIGCONT"):
        yield f"`kill_signals` in `[chaos]` holds {name}: `stop` and `pause` are the experiments with it, leave it out"
    elif name not in signal.Signals.__members__:
        yield f"`kill_signals` in `[chaos]` holds {name!r}, which is no signal: write it as SIGHUP"
