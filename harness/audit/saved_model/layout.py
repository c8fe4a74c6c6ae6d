"""The layout of a model's input: how many numbers it wants against what a window gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.audit.finding import Finding, Severity
from harness.contract.records import build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.audit.model.market import Market
    from harness.contract.profile import WindowRule
    from harness.contract.series import Second


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An input of `records` times `fields` numbers, the last `cut` of them left off; `names` are the fields'."""

    records: int
    names: tuple[str, ...]
    cut: int = 0

    @property
    def width(self) -> int:
        """How many numbers that is."""
        return self.records * len(self.names) - self.cut

    @property
    def is_leaky(self) -> bool:
        """Whether the newest record lacks a value: the target was cut off, and its neighbours were left in."""
        return self.cut > 0

    def row(self, rule: WindowRule, seconds: Sequence[Second]) -> list[float]:
        """Return a window in this layout, record after record."""
        window = build(rule, seconds[-self.records :], end_ns=0)
        numbers = [float(str(record[name])) for record in window.records for name in self.names]
        return numbers[: len(numbers) - self.cut]

    def __str__(self) -> str:
        cut = f" - {self.cut}" if self.cut else ""
        return f"{self.records} x {len(self.names)}{cut}"


def layout_of(width: int, rule: WindowRule) -> Layout | None:
    """Recognise the layout of so many numbers; None where a window does not give them as they stand.

    One value fewer than all numbers of all records, or than all prices, is a record whose target was cut off.
    """
    numbers, close = rule.of_kind("number", "integer"), (rule.target,)
    for records in (rule.records, rule.records - 1):
        for names in (numbers, rule.prices, close):
            if width == records * len(names):
                return Layout(records=records, names=names)
    for names in (numbers, rule.prices):
        if width == rule.records * len(names) - 1:
            return Layout(records=rule.records, names=names, cut=1)
    return None


def layout_finding(width: int, rule: WindowRule) -> Finding:
    """Say what the input's width tells."""
    layout, given = layout_of(width, rule), len(rule.of_kind("number", "integer"))
    numbers = {"input_width": width, "records": rule.records, "numbers_a_record": given}
    if layout is None:
        return Finding(
            id="layout.unknown",
            severity=Severity.INFORMS,
            says=f"It wants {width} numbers; a window gives {rule.records} x {given} = {rule.records * given}, so "
            "features are reckoned before the model.",
            advice="Ship that reckoning with the model: what is done twice is done differently one day.",
            numbers=numbers,
        )
    if layout.is_leaky:
        return _leak(layout, numbers)
    return Finding(
        id="layout.raw_window",
        severity=Severity.INFORMS,
        says=f"It wants {width} = {layout} numbers: {', '.join(layout.names)} of {layout.records} records.",
        advice="Raw prices bind a model to a price level: give it shares of the last close.",
        numbers=numbers,
    )


def _leak(layout: Layout, numbers: dict[str, int]) -> Finding:
    return Finding(
        id="layout.leaks_the_target",
        severity=Severity.BLOCKS,
        says=f"It wants {layout.width} = {layout} numbers: all {len(layout.names)} values of {layout.records} records "
        "but the very last one. The target was cut out of the newest record and the other values of the same second "
        "were left in: they are not known before that second is over, and then the target is known too.",
        advice="Take whole records as inputs and a value of the next second as target; then measure the skill anew.",
        numbers=dict(numbers),
    )


def rows_for(width: int, market: Market, count: int) -> tuple[NDArray[np.float32], str]:
    """Return inputs, [n, width], and where they are from: the recording, or drawn where the layout is not known."""
    layout = layout_of(width, market.profile.window)
    if layout is None:
        draw = np.random.default_rng(1)
        scales = 10.0 ** draw.uniform(-5, 1, size=(count, 1))
        return (draw.normal(size=(count, width)) * scales).astype(np.float32), "drawn"
    rule = market.profile.window
    return np.array([layout.row(rule, window) for window in market.some(count)], np.float32), "recorded"
