"""A profile: what one container promises, read from TOML into frozen values."""

from __future__ import annotations

import difflib
import hashlib
import signal
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.contract.rules import RULES
from harness.contract.series import REACH
from harness.contract.tables import ProfileInvalid, Signed, read_table

DEFAULT_PROFILE = Path(__file__).parent.parent / "profiles" / "default.toml"
SCHEMA = 1
# What every alert has that says what is wrong and where; other row keys are columns of the records.
ALERT_COLUMNS = ("target", "variant", "rule", "check")
_ROW_KEYS = "`notification_deduping_row_keys` in `[alerts]`"

Kind = Literal["timestamp", "number", "integer"]
Role = Literal[
    "start",
    "end",
    "first_event",
    "last_event",
    "open",
    "high",
    "low",
    "close",
    "value",
    "volume",
    "count",
    "other",
]
# What is predicted, the next one of it: the close of a candle, or the one value that a record has.
_TARGETS: tuple[Role, ...] = ("close", "value")
_PRICES: tuple[Role, ...] = ("open", "high", "low", "close", "value")
_LEVELS = (1.0, 1_000_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """How the container is started and stopped; times in seconds."""

    arguments: tuple[str, ...] = ("serve",)
    port: int = 8080
    port_variable: str = "SAGEMAKER_BIND_TO_PORT"
    ready_s: float = 60
    stop_s: float = 30
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Routes and budgets on the wire; times in seconds, sizes in bytes."""

    ping_path: str = "/ping"
    invocations_path: str = "/invocations"
    ping_s: float = 2
    accept_s: float = 0.25
    budget_s: float = 1
    hang_s: float = 15
    body_limit_bytes: int = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What an answer must keep; shares are fractions of 1."""

    horizon_s: float = 1
    quiet_move: float = 0.01
    quiet_tolerance: float = 0.01
    jump_move: float = 0.05
    jump_tolerance: float = 0.05
    same_tolerance: float = 1e-6
    skill_limit: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRule:
    """How series move that are made up where none was recorded; shares are fractions of 1, or of the level."""

    volatility: float = 4e-5
    silent_share: float = 0.3
    cycle_share: float = 0
    cycle_periods: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load that the container is promised to bear."""

    rate_per_s: float = 20
    duration_s: float = 30
    warm_up_s: float = 2
    over_budget_share: float = 0.01
    arrivals: Literal["constant", "poisson"] = "constant"
    csv_share: float = 0.5
    broken_share: float = 0.05
    ping_rate_per_s: float = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """How faults are measured, and how hard they are."""

    recovery_s: float = 60
    probe_rate_per_s: float = 16
    ping_rate_per_s: float = 2
    invalid_rate_per_s: float = 1
    steady_s: float = 1.5
    kill_signals: tuple[str, ...] = ("SIGKILL", "SIGHUP")
    pause_s: float = 5
    brief_pause_s: float = 0.3
    patience_s: float = 1.5
    memory_mb: int = 1024
    starved_memory_mb: int = 160
    scarce_cpu_share: float = 0.01
    shortage_s: float = 3
    tmp_mb: int = 256
    clock_ahead_s: float = 30
    traffic_s: float = 2
    slow_clients: int = 64
    idle_clients: int = 200
    burst_times: float = 10
    far_clients: int = 8
    far_delay_s: float = 0.5
    far_jitter_s: float = 0.06
    far_bytes_per_s: float = 16_000
    cut_s: float = 2
    leak_requests: int = 3000
    leak_warm_up: int = 1000
    leak_bytes: float = 1024
    leak_files: float = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How failures are told; the row keys say which two alerts are the same, and so told once in `suppression_h`."""

    channel: str = "debug-slackbot"
    notification_deduping_row_keys: tuple[str, ...] = ("target", "rule", "check")
    suppression_h: float = 24
    execution_frequency_minutes: float = 5
    storm_keys: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What a run of the monitor looks at, and from where on it is wrong; shares are fractions of 1."""

    pings: int = 3
    ping_pause_s: float = 1
    flapping_failures: int = 3
    flapping_pings: int = 36
    predictions: int = 50
    skill_minutes: float = 15
    skill_least: int = 120
    jump_band: float = 0.01
    jump_mads: float = 40
    spike_s: float = 60
    source_tolerance: float = 0.005
    silent_seconds: Literal["carried", "omitted"] = "carried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a challenger may be worse by than the champion, and how surely that is to be known; fractions of 1."""

    windows: int = 1200
    windows_most: int = 6000
    floor_windows: int = 400
    look_every: int = 50
    alpha: float = 0.05
    loss_margin: float = 0.02
    latency_margin: float = 0.1
    error_share: float = 0.005
    difference_bps: float = 100
    difference_share: float = 0.01
    memory_margin: float = 0.25
    start_margin: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One field of a record: its kind, what it is for, and the limits of its values."""

    kind: Kind
    role: Role
    above: Signed | None = None
    least: Signed | None = None
    plausible: tuple[Signed, ...] | None = None
    usual: tuple[Signed, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """The window: how many records of which fields, how long each, how old the newest may be."""

    fields: dict[str, FieldRule]
    key: str = "window"
    records: int = 60
    period_s: float = 1
    max_age_s: float = 60
    max_ahead_s: float = 2
    relations: tuple[str, ...] = ()

    def named(self, *roles: Role) -> str:
        """Return the name of the field that has the first of some roles that any has."""
        name = self.find(*roles)
        if name is None:
            msg = f"no field of `[window.fields]` has the role {' or '.join(map(repr, roles))}: name one"
            raise ProfileInvalid(msg)
        return name

    def find(self, *roles: Role) -> str | None:
        """Return the name of the field that has the first of some roles that any has; None where none has one."""
        named = {rule.role: name for name, rule in reversed(self.fields.items())}
        return next((named[role] for role in roles if role in named), None)

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of the fields of some kinds, in the profile's order."""
        return tuple(name for name, rule in self.fields.items() if rule.kind in kinds)

    @property
    def target(self) -> str:
        """The name of the field whose next value is predicted."""
        return self.named(*_TARGETS)

    @property
    def prices(self) -> tuple[str, ...]:
        """The names of the fields that carry a price, or whatever the target is of: they rise and fall together."""
        return tuple(name for role in _PRICES if (name := self.find(role)) is not None)

    @property
    def levels(self) -> tuple[float, float]:
        """The least and the largest level at which the target usually lies."""
        field = self.fields[self.target]
        low, high = field.usual or field.plausible or _LEVELS
        return low, high

    @property
    def ordered(self) -> tuple[tuple[str, str], ...]:
        """The relations as pairs of field names: the first is never greater than the second."""
        return tuple(_pair(relation, self.fields) for relation in self.relations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that one container promises; `sha256` is that of the file it was read from."""

    name: str
    window: WindowRule
    schema: int = SCHEMA
    container: Process = field(default_factory=Process)
    http: Http = field(default_factory=Http)
    prediction: Prediction = field(default_factory=Prediction)
    series: SeriesRule = field(default_factory=SeriesRule)
    load: Load = field(default_factory=Load)
    chaos: Chaos = field(default_factory=Chaos)
    alerts: Alerts = field(default_factory=Alerts)
    monitor: Monitor = field(default_factory=Monitor)
    release: Release = field(default_factory=Release)
    waived: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


def load_profile(path: Path = DEFAULT_PROFILE) -> Profile:
    """Read a profile; raise `ProfileInvalid` with one sentence that names file, place and way out."""
    try:
        raw = path.read_bytes()
        table = tomllib.loads(raw.decode())
    except OSError as error:
        msg = f"profile {path}: cannot be read: {error.strerror}"
        raise ProfileInvalid(msg) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"profile {path}: is not TOML: {error}"
        raise ProfileInvalid(msg) from error
    try:
        return _profile(table, hashlib.sha256(raw).hexdigest())
    except ProfileInvalid as error:
        msg = f"profile {path}: {error}"
        raise ProfileInvalid(msg) from error


def _profile(table: dict[str, object], sha256: str) -> Profile:
    if "sha256" in table:
        msg = "unknown key `sha256`: it is computed from the file"
        raise ProfileInvalid(msg)
    profile = read_table(Profile, {**table, "sha256": sha256}, place="")
    if profile.schema != SCHEMA:
        msg = f"`schema` must be {SCHEMA}, got {profile.schema}: this harness reads no other version"
        raise ProfileInvalid(msg)
    for rule_id, reason in profile.waived.items():
        _check_waiver(rule_id, reason)
    _check_alerts(profile)
    _check_load(profile.load)
    _check_release(profile.release)
    _check_window(profile.window)
    _check_series(profile.series)
    for name in profile.chaos.kill_signals:
        _check_signal(name)
    return profile


def _check_window(window: WindowRule) -> None:
    for roles in (("start",), ("end",), _TARGETS):
        window.named(*roles)
    _ = window.ordered
    for name, field_rule in window.fields.items():
        _check_field(f"window.fields.{name}", field_rule)
    if window.levels[0] <= 0:
        msg = f"`window.fields.{window.target}` is what is predicted: its `usual` or `plausible` must lie above 0"
        raise ProfileInvalid(msg)


def _check_series(series: SeriesRule) -> None:
    if series.volatility >= REACH:
        msg = f"`series.volatility` must be below {REACH:g}, got {series.volatility:g}: it is that of one period"
        raise ProfileInvalid(msg)
    if not series.cycle_periods:
        msg = "`series.cycle_periods` must be above 0: so many periods does a cycle last"
        raise ProfileInvalid(msg)
    if series.silent_share > 1:
        msg = f"`series.silent_share` must be a share from 0 to 1, got {series.silent_share:g}"
        raise ProfileInvalid(msg)


def _check_field(place: str, field_rule: FieldRule) -> None:
    for key, limits in {"plausible": field_rule.plausible, "usual": field_rule.usual}.items():
        if limits is not None and not (len(limits) == len(_LEVELS) and limits[0] < limits[1]):
            msg = f"`{place}.{key}` must be two numbers, the smaller one first, got {list(limits)}"
            raise ProfileInvalid(msg)
    if field_rule.role == "other" and field_rule.usual is None:
        msg = f"`{place}` has the role 'other': say where its values usually lie, `usual = [least, most]`"
        raise ProfileInvalid(msg)


def _check_load(load: Load) -> None:
    for name, most in {"csv_share": 1.0, "broken_share": 0.9, "over_budget_share": 1.0}.items():
        if (share := getattr(load, name)) > most:
            msg = f"`load.{name}` must be a share from 0 to {most:g}, got {share:g}"
            raise ProfileInvalid(msg)
    if load.rate_per_s <= 0 or load.duration_s <= 0:
        found = f"{load.rate_per_s:g} and {load.duration_s:g}"
        msg = f"`load.rate_per_s` and `load.duration_s` must be above 0, got {found}"
        raise ProfileInvalid(msg)


def _check_release(release: Release) -> None:
    if not 0 < release.alpha < 1:
        what = "so often may an equal challenger be rejected"
        msg = f"`release.alpha` must lie between 0 and 1, got {release.alpha:g}: {what}"
        raise ProfileInvalid(msg)
    for name in ("windows", "windows_most", "floor_windows", "look_every"):
        if not getattr(release, name):
            msg = f"`release.{name}` must be 1 or more"
            raise ProfileInvalid(msg)


def _check_waiver(rule_id: str, reason: str) -> None:
    if rule_id not in RULES:
        msg = f"`[waived]` names {rule_id!r}, which is no rule: known are {', '.join(RULES)}"
        raise ProfileInvalid(msg)
    if not reason.strip():
        msg = f"`{rule_id}` in `[waived]` has no reason: say why the rule does not hold"
        raise ProfileInvalid(msg)


def _check_alerts(profile: Profile) -> None:
    names = profile.alerts.notification_deduping_row_keys
    if not names:
        msg = f"{_ROW_KEYS} is empty: name what makes two alerts the same, such as {', '.join(ALERT_COLUMNS)}"
        raise ProfileInvalid(msg)
    for name in names:
        _check_row_key(name, profile.window)
    if profile.alerts.execution_frequency_minutes <= 0:
        msg = "`alerts.execution_frequency_minutes` must be more than 0: the monitor runs every so many minutes"
        raise ProfileInvalid(msg)
    if not profile.monitor.pings:
        msg = "`monitor.pings` must be 1 or more: without a ping nothing is known"
        raise ProfileInvalid(msg)


def _check_row_key(name: str, window: WindowRule) -> None:
    """Refuse what differs from run to run: a key made of it would never repeat, and all would be told every time."""
    if name in window.fields:
        msg = f"{_ROW_KEYS} holds {name!r}, which is measured: name what is wrong, never when or how much"
        raise ProfileInvalid(msg)
    near = difflib.get_close_matches(name, ALERT_COLUMNS, n=1, cutoff=0.7)
    if name not in ALERT_COLUMNS and (near or not name.isidentifier()):
        hint = f"did you mean {near[0]!r}?" if near else "name a column of the records"
        msg = f"{_ROW_KEYS} holds {name!r}: {hint}"
        raise ProfileInvalid(msg)


def _check_signal(name: str) -> None:
    if name in ("SIGTERM", "SIGSTOP", "SIGCONT"):
        msg = f"`kill_signals` in `[chaos]` holds {name}: `stop` and `pause` are the experiments with it, leave it out"
        raise ProfileInvalid(msg)
    if name not in signal.Signals.__members__:
        msg = f"`kill_signals` in `[chaos]` holds {name!r}, which is no signal: write it as SIGHUP"
        raise ProfileInvalid(msg)


def _pair(relation: str, fields: dict[str, FieldRule]) -> tuple[str, str]:
    lower, sign, upper = relation.partition("<=")
    pair = lower.strip(), upper.strip()
    if not sign or any(name not in fields for name in pair):
        msg = f"`relations` in `[window]` holds {relation!r}: write it as `field <= field`, both from `[window.fields]`"
        raise ProfileInvalid(msg)
    return pair
