"""The numbers that come out: are there any, are they prices, do they move, are they as fine as prices are? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.audit.finding import Finding, Severity
from harness.audit.model.trial import silent_of, statuses_of
from harness.contract.judge import OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.audit.model.track import Series, Track
    from harness.audit.model.trial import Answered

CONSTANT = "output.constant"
# What is this much smaller than the closes' own spread hardly follows them.
_HARDLY = 0.05
_GRIDS_USD = (1_000.0, 100.0, 50.0, 10.0, 5.0, 1.0, 0.5, 0.1)
_ON_GRID_SHARE = 0.9
_EXACT = 1e-9


def output_findings(answered: Sequence[Answered], track: Track) -> Iterator[Finding]:
    """Find what makes the numbers unfit, whatever their skill."""
    yield from _missing(answered)
    found = track.predictions
    if not len(found):
        return
    if np.ptp(found) <= _EXACT * abs(found[0]) and np.ptp(track.last) > 0:
        yield _constant(track)
        return
    if (found <= 0).any():
        yield _not_positive(found)
    if found.std() < _HARDLY * track.last.std():
        yield _hardly_moves(track)
    yield from _coarse(track)


def _missing(answered: Sequence[Answered]) -> Iterator[Finding]:
    silent = silent_of(answered)
    refused = [one for one in silent if one.reply.status != OK]
    for kind, id_, advice in (
        (refused, "output.refused", "Find out what of these windows the service does not bear: each of them is good."),
        (
            [one for one in silent if one.reply.status == OK],
            "output.no_number",
            "Have the service answer with a finite number or refuse; a division by an empty range is the usual cause.",
        ),
    ):
        if kind:
            share = len(kind) / len(answered)
            yield Finding(
                id=id_,
                severity=Severity.BLOCKS,
                says=f"{len(kind)} of {len(answered)} good windows ({share:.1%}) got no number: {statuses_of(kind)}.",
                advice=advice,
                numbers={"windows": len(answered), "without_prediction": len(kind), "share": share},
            )


def _constant(track: Track) -> Finding:
    value, closes = float(track.predictions[0]), np.unique(track.last)
    cause = (
        "a dead ReLU at the output looks just like this: it passes no gradient, so training never repairs it"
        if value == 0
        else "what is learned without scaled inputs, or behind saturated units, often ends like this"
    )
    return Finding(
        id=CONSTANT,
        severity=Severity.BLOCKS,
        says=f"The model predicts {value:g} for every input: {len(track.predictions)} windows with {len(closes)} "
        f"different last closes from {closes[0]:g} to {closes[-1]:g} got one and the same number; {cause}.",
        advice="Do not serve it: it holds no information. Train anew with a linear output, scaled inputs and a target "
        "relative to the last close, and let a test demand that predictions differ.",
        numbers={
            "windows": len(track.predictions),
            "prediction_usd": value,
            "distinct_last_closes": len(closes),
            "least_last_close_usd": float(closes[0]),
            "largest_last_close_usd": float(closes[-1]),
        },
    )


def _not_positive(found: Series) -> Finding:
    count = int((found <= 0).sum())
    return Finding(
        id="output.not_positive",
        severity=Severity.BLOCKS,
        says=f"{count} of {len(found)} predictions are no prices: the least is {found.min():g}.",
        advice="Predict the logarithm of the next price over the last: no answer can then fall below 0.",
        numbers={"windows": len(found), "not_positive": count, "least_usd": float(found.min())},
    )


def _hardly_moves(track: Track) -> Finding:
    spread, closes_spread = float(track.predictions.std()), float(track.last.std())
    return Finding(
        id="output.hardly_moves",
        severity=Severity.BLOCKS,
        says=f"Predictions vary by {spread:.4g} USD where the last closes vary by {closes_spread:.4g} USD: the model "
        "hardly looks at the price.",
        advice="Look for saturated units and for inputs that drown the price; predict the move, not the level.",
        numbers={"spread_usd": spread, "last_closes_spread_usd": closes_spread},
    )


def _coarse(track: Track) -> Iterator[Finding]:
    for grid in _GRIDS_USD:
        if _on_grid(track.predictions, grid) == 1 and _on_grid(track.last, grid) < _ON_GRID_SHARE:
            yield Finding(
                id="output.coarse",
                severity=Severity.WARNS,
                says=f"Every prediction is a multiple of {grid:g} USD; the closes are finer than that.",
                advice="Look for rounding in the answer, and for 16-bit numbers in the model.",
                numbers={"grid_usd": grid, "closes_on_grid_share": _on_grid(track.last, grid)},
            )
            return


def _on_grid(prices: Series, grid: float) -> float:
    return float(np.isclose(prices / grid, np.round(prices / grid), rtol=0, atol=1e-6).mean())
