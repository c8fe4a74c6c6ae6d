"""What is found about learning the next period from a data set: signal, leaks, overlap, and what the rows are worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.data_moves import Signal
    from harness.audit.data_sample import Sample
    from harness.audit.data_steps import Steps

# So strongly do prices not follow themselves: they were filled in from both sides, or smoothed.
_SMOOTHED = 0.5
_LEAKY = 0.5
_FEW_EFFECTIVE, _TOO_FEW_EFFECTIVE = 1_000.0, 100.0
_FEW_SEPARATE = 1_000
_VALIDATION_SHARE = 0.2


def learning_findings(signal: Signal | None, steps: Steps, sample: Sample) -> Iterator[Finding]:
    """Yield what a learner has to know."""
    if signal is not None:
        yield from _signal(signal)
    yield from _same_row(sample)
    yield _overlap(steps)
    yield from _worth(sample)


def _signal(signal: Signal) -> Iterator[Finding]:
    found = signal.autocorrelations
    # Of so many lags, one beyond 1.96 would be chance.
    sure_z = 1.96 + 0.85 * math.log10(len(found))
    sure = {lag: one for lag, one in enumerate(found, start=1) if abs(one.z) > sure_z}
    numbers = {f"lag_{lag}": one.value for lag, one in enumerate(found, start=1)}
    numbers |= {"lag_1_low": found[0].low, "lag_1_high": found[0].high}
    if found[0].low > _SMOOTHED:
        yield Finding(
            id="signal.smoothed",
            severity=Severity.BLOCKS,
            says=f"A move is like the one before by {found[0].value:.2f} ({found[0].low:.2f} to {found[0].high:.2f}), "
            "and prices of trades do not: they were smoothed, or filled in between a price and a later one.",
            advice="Get the trades' own prices: a filled-in price holds the one that is to be predicted.",
            numbers=numbers,
        )
        return
    explained = signal.explained
    numbers |= {"explained": explained}
    told = ", ".join(f"lag {lag}: {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})" for lag, one in sure.items())
    says = (
        f"Beyond the last close, {len(found)} past moves explain {explained:.2%} of the next one's variance ({told}): "
        f"the best straight-line guess errs {math.sqrt(max(1 - explained, 0)):.4f} times as much as persistence."
        if sure
        else f"None of the moves at lags 1 to {len(found)} tells anything of the next one (lag 1: "
        f"{found[0].value:+.4f}, {found[0].low:+.4f} to {found[0].high:+.4f}): persistence is hard to beat."
    )
    yield Finding(
        id="signal.some" if sure else "signal.none",
        severity=Severity.INFORMS if sure else Severity.WARNS,
        says=says,
        advice="Hold every model against persistence on later data; promise no more than this.",
        numbers=numbers,
    )


def _same_row(sample: Sample) -> Iterator[Finding]:
    same, before, equal = sample.same_row_rmse, sample.persistence_rmse, sample.high_is_open_or_close_share
    if same is None or before is None or equal is None or not before:
        return
    leaks = same < _LEAKY * before
    yield Finding(
        id="leakage.same_row" if leaks else "leakage.same_row_harmless",
        severity=Severity.WARNS if leaks else Severity.INFORMS,
        says=f"The high of a row is its own open or close in {equal:.1%} of the rows: with them as features its "
        f"error is {same:.4g}, against {before:.4g} from the close before ({same / before:.3f} times): no foresight.",
        advice="Take features from rows that ended before the target's row began: open, low and close of its own "
        "second are not known when the question is asked.",
        numbers={"same_row_rmse": same, "persistence_rmse": before, "high_is_open_or_close_share": equal},
    )


def _overlap(steps: Steps) -> Finding:
    needed = steps.window_rows + 1
    windows = steps.windows_with_target
    separate = windows // needed
    # A window shares rows with the `rows` before it and as many after: none of them may be trained on.
    shared = 1 - _VALIDATION_SHARE ** (2 * steps.window_rows)
    return Finding(
        id="windows.overlap",
        severity=Severity.WARNS if separate < _FEW_SEPARATE else Severity.INFORMS,
        says=f"{windows:,} windows share their rows: only {separate:,} lie apart. A random split puts rows of "
        f"{shared:.1%} of the validation windows into the training part too.",
        advice=f"Split by time, and leave out {steps.window_rows} rows between training and validation.",
        numbers={
            "windows": windows,
            "windows_apart": separate,
            "shared_by_a_random_split": shared,
            "rows_to_leave_out": steps.window_rows,
        },
    )


def _worth(sample: Sample) -> Iterator[Finding]:
    if sample.effective is None:
        return
    severity = Severity.WARNS if sample.effective < _FEW_EFFECTIVE else Severity.INFORMS
    yield Finding(
        id="sample.effective",
        severity=Severity.BLOCKS if sample.effective < _TOO_FEW_EFFECTIVE else severity,
        says=f"{sample.moves:,} moves are worth {sample.effective:,.0f} independent ones for how large moves are: "
        "calm and hectic times last.",
        advice="Count intervals by blocks of time, not by rows."
        if severity is Severity.INFORMS
        else "Record for longer.",
        numbers={"moves": sample.moves, "effective": sample.effective, "blocks": sample.blocks},
    )
