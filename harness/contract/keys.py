"""The keys of a profile, table by table: each with its type, its default, what it means and what looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.contract.tables import entry

_CHAOS = "chaos: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """How the container is started and stopped."""

    arguments: tuple[str, ...] = entry(("serve",), "what follows the image's name at the start", "C1, and every start")
    port: int = entry(8080, "where it listens", "C2, and every request")
    port_variable: str = entry(
        "SAGEMAKER_BIND_TO_PORT", "the environment variable that names another port; empty: it cannot be told", "C2"
    )
    ready_s: float = entry(60, "so long may a start take", "C4, C17")
    stop_s: float = entry(30, "so long may it take to end after SIGTERM", "C12")
    environment: dict[str, str] = entry({}, "variables that it is started with", "every start")
    mounts: dict[str, str] = entry(
        {}, "folders or files of this machine that it needs, read-only: path there = path here", "every start"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Routes and budgets on the wire."""

    ping_path: str = entry("/ping", "GET it, and it is 200 while the container can answer", "C3")
    invocations_path: str = entry("/invocations", "POST a window there", "every invocation")
    other_paths: tuple[str, ...] = entry((), "other routes that it has: no check takes them for unknown", "C7")
    ping_s: float = entry(2, "within so long a ping is answered", "C3")
    accept_s: float = entry(0.25, "within so long a connection is accepted", "C16")
    budget_s: float = entry(1, "within so long of a request's last byte comes the answer, or a 503", "C13, P7")
    hang_s: float = entry(15, "what has not been answered or closed by then hangs", "C13")
    body_limit_bytes: int = entry(1_048_576, "a longer body is refused", "C8")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """Where in an answer to a good window what stands: a path such as `predictions[0].value`; empty: not promised.

    `$` is the whole answer, as JSONPath (RFC 9535) has it, and may begin any path: `$[0]`.
    """

    prediction: str = entry(
        "prediction", "the number that is predicted; `$`: the answer is that number", "P1 to P5, and every comparison"
    )
    as_of: str = entry("as_of", "the newest record's end, as it was sent", "P0, P6")
    horizon: str = entry("horizon_s", "how far ahead it predicts", "P0")
    model: str = entry("model", "an object with `name` and `version`", "P0")
    anomalies: str = entry("anomalies", "a list of objects with `code` and `message`", "P0, P5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """With which statuses what is refused, and what a refusal looks like."""

    malformed: tuple[int, ...] = entry((400,), "a body that is not what its type says", "C9")
    broken: tuple[int, ...] = entry((422,), "a window that breaks a data rule", "D1 to D11")
    type: tuple[int, ...] = entry((415,), "another Content-Type, or none", "C5")
    accept: tuple[int, ...] = entry((406,), "an Accept that excludes JSON", "C6")
    path: tuple[int, ...] = entry((404,), "an unknown path", "C7")
    method: tuple[int, ...] = entry((405,), "a known path, another method", "C7")
    too_large: tuple[int, ...] = entry((413,), "a body over the limit", "C8")
    body: Literal["error", "json", "any"] = entry(
        "error",
        "`error`: JSON with `error.code`, `.dimension` and `.message`; `json`: any JSON; `any`: anything",
        "C10",
    )
    dimension: bool = entry(True, "`error.dimension` names the dimension of the rule that a window breaks", "D1 to D11")  # noqa: FBT003 - a default

    def instead_of(self, status: int) -> tuple[int, ...]:
        """Return the statuses that stand for one of the default profile's; itself where no key names it."""
        named = {
            400: self.malformed,
            422: self.broken,
            415: self.type,
            406: self.accept,
            404: self.path,
            405: self.method,
            413: self.too_large,
        }
        return named.get(status, (status,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a prediction must keep."""

    horizon_s: float = entry(1, "so far ahead is predicted, and `horizon` says so", "P0")
    quiet_move: float = entry(0.01, "a quiet window moves by no more than this share within a period", "P3, P5")
    quiet_tolerance: float = entry(0.01, "its prediction lies within this share of the last close", "P3")
    jump_move: float = entry(0.05, "consecutive closes that differ by more than this share are a jump", "P5")
    jump_tolerance: float = entry(0.05, "the prediction still lies within this share of the last close", "P5")
    same_tolerance: float = entry(1e-6, "two predictions of one window differ by no more than this share", "P2")
    skill_limit: float = entry(1.5, "RMSE at most so many times that of persistence", "P4")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRule:
    """How series move that are made up where none was recorded."""

    volatility: float = entry(4e-5, "of the price's logarithm, from one period to the next", "dq, chaos, load")
    silent_share: float = entry(0.3, "of the periods have no trade", "dq, chaos, load")
    cycle_share: float = entry(0, "by so much of the level do prices rise and fall in a cycle", "dq, chaos, load")
    cycle_periods: float = entry(1, "so many periods does a cycle last", "dq, chaos, load")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load that the container is promised to bear."""

    rate_per_s: float = entry(20, "requests, open loop", "P7")
    duration_s: float = entry(30, "so long is measured", "load")
    warm_up_s: float = entry(2, "so long before that nothing counts", "load")
    over_budget_share: float = entry(0.01, "of the arrivals may miss the budget: p99 is within it", "P7")
    arrivals: Literal["constant", "poisson"] = entry("constant", "evenly, or by chance", "load")
    csv_share: float = entry(0.5, "of the requests are CSV, the others JSON, where it takes both", "load")
    broken_share: float = entry(0.05, "of the requests are broken on purpose, and must be refused", "load")
    ping_rate_per_s: float = entry(2, "pings beside the load, each on a new connection", "C3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """How faults are measured, and how hard they are."""

    recovery_s: float = entry(60, "within so long of a fault it serves again", "C17")
    probe_rate_per_s: float = entry(16, "good windows while a fault lasts", "chaos")
    ping_rate_per_s: float = entry(2, "pings meanwhile", "C3")
    invalid_rate_per_s: float = entry(1, "invalid bodies meanwhile", "chaos")
    steady_s: float = entry(1.5, "so long must every probe be well before a fault, and again after it", "chaos")
    kill_signals: tuple[str, ...] = entry(
        ("SIGKILL", "SIGHUP"), "the first ends it; of others it may die or not", "C17"
    )
    pause_s: float = entry(5, "so long is it frozen", _CHAOS + "pause")
    brief_pause_s: float = entry(0.3, "so long is it frozen that nobody may notice more than a late answer", "C14")
    patience_s: float = entry(1.5, "so long do clients wait in a pause that outlasts them", _CHAOS + "pause_abandoned")
    memory_mb: int = entry(1024, "what it runs in, unless an experiment takes it away", "every start")
    starved_memory_mb: int = entry(160, "too little for the model: the kernel kills it", _CHAOS + "memory")
    scarce_cpu_share: float = entry(0.01, "of one core, while the processor is scarce", _CHAOS + "cpu")
    shortage_s: float = entry(3, "so long are processor, threads, open files or room in /tmp short", "chaos")
    tmp_mb: int = entry(256, "how large the /tmp is that gets filled", _CHAOS + "full_tmp")
    clock_ahead_s: float = entry(30, "so far is the clock set ahead", _CHAOS + "clock")
    traffic_s: float = entry(2, "so long do bad clients stay", "C14")
    slow_clients: int = entry(64, "that send slowly, do not read, or close their half", "C14")
    idle_clients: int = entry(200, "that connect and say nothing", "C14")
    burst_times: float = entry(10, "the load's rate in a burst", "C13")
    far_clients: int = entry(8, "behind a network that is slow, or loses what they send or should get", "C13, C14")
    far_delay_s: float = entry(0.5, "so late arrives everything, one way", _CHAOS + "delay")
    far_jitter_s: float = entry(0.06, "so long at most are the gaps between pieces of a request", _CHAOS + "jitter")
    far_bytes_per_s: float = entry(16_000, "a request takes over a second, and answers pile up", _CHAOS + "bandwidth")
    cut_s: float = entry(2, "so long is it off its network", _CHAOS + "cut")
    leak_requests: int = entry(3000, "over so many memory and open files are watched", "C15")
    leak_warm_up: int = entry(1000, "so many before that", "C15")
    leak_bytes: float = entry(1024, "so much may memory grow with each", "C15")
    leak_files: float = entry(0.005, "so many may stay open of each", "C15")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How failures are told; the row keys say which two alerts are the same, and so told once in `suppression_h`."""

    channel: str = entry("debug-slackbot", "of Slack; OPS_NOTIFICATIONS_SLACK_CHANNEL names another", "alerts")
    notification_deduping_row_keys: tuple[str, ...] = entry(
        ("target", "rule", "check"), "two alerts that agree in these are one, and told once", "alerts"
    )
    suppression_h: float = entry(24, "so long is what was told not told again", "alerts")
    execution_frequency_minutes: float = entry(5, "so often does the monitor run", "monitor")
    storm_keys: int = entry(10, "more new alerts than this in one run become one digest", "alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What a run of the monitor looks at, and from where on it is wrong."""

    pings: int = entry(3, "all of them must fail for the container not to answer", "monitor")
    ping_pause_s: float = entry(1, "between two of them", "monitor")
    flapping_failures: int = entry(3, "so many failures, in two stretches or more: it flaps", "monitor")
    flapping_pings: int = entry(36, "among so many of the last", "monitor")
    predictions: int = entry(50, "so many of the newest windows of the feed are sent", "monitor")
    skill_minutes: float = entry(15, "over so long is the error compared with persistence's", "monitor")
    skill_least: int = entry(120, "from so many predictions on", "monitor")
    jump_band: float = entry(0.01, "a jump moves by more than this share within a period", "monitor")
    jump_mads: float = entry(
        40, "and by more than so many median absolute deviations of the moves before it", "monitor"
    )
    spike_s: float = entry(60, "what comes back within this time was a spike, what stays a new level", "monitor")
    source_tolerance: float = entry(0.005, "so far may a second source's close lie from the feed's", "monitor")
    silent_seconds: Literal["carried", "omitted"] = entry(
        "carried", "whether the feed has a record of a period without trades", "monitor"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a challenger may be worse by than the champion, and how surely that is to be known."""

    windows: int = entry(1200, "so many good windows go to both", "compare")
    windows_most: int = entry(6000, "at most so many, where it is looked at on the way", "compare")
    floor_windows: int = entry(400, "so many go to the champion and to a second container of its image", "compare")
    look_every: int = entry(50, "after so many windows it is looked at", "compare")
    alpha: float = entry(0.05, "so often, at most, may an equal challenger be rejected", "compare")
    loss_margin: float = entry(0.02, "its error may be larger by this share", "compare")
    latency_margin: float = entry(0.1, "its answers may take longer by this share", "compare")
    error_share: float = entry(0.005, "of its answers at most this share may be errors", "compare")
    difference_bps: float = entry(100, "its predictions lie within this of the champion's", "compare")
    difference_share: float = entry(0.01, "but for this share of them", "compare")
    memory_margin: float = entry(0.25, "it may hold more by this share", "compare")
    start_margin: float = entry(0.5, "and take longer to become ready by this share", "compare")


__all__ = [
    "Alerts",
    "AnswerRule",
    "Chaos",
    "Http",
    "Load",
    "Monitor",
    "Prediction",
    "Process",
    "Refusals",
    "Release",
    "SeriesRule",
]
