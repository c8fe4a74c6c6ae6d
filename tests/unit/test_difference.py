"""How a window that was sent differs from the good one that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.difference import ABSENT, WHOLE, Change, Example, difference
from harness.contract.records import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD: tuple[Mapping[str, object], ...] = tuple({"start": f"t{n}", "price": float(n), "count": n} for n in range(6))


def changes(*sent: Mapping[str, object]) -> tuple[Change, ...]:
    return difference(Example(says="somehow", good=Window(records=GOOD), sent=Window(records=sent)))


def change(field: str, records: str, good: str, sent: str) -> Change:
    return Change(field=field, records=records, good=good, sent=sent)


def test_same_window_differs_in_nothing() -> None:
    assert changes(*GOOD) == ()


def test_field_that_differs_is_told_once_with_its_records() -> None:
    sent = [{**record, "price": None} if n in (0, 1, 2, 4) else record for n, record in enumerate(GOOD)]
    assert changes(*sent) == (change("price", "0-2, 4", "0.0", "null"),)


@pytest.mark.parametrize(("value", "shown"), [(1.0, "1.0"), (True, "true"), ("1", '"1"'), (float("nan"), "NaN")])
def test_values_that_python_takes_for_the_same_are_told_apart(value: object, shown: str) -> None:
    assert changes(GOOD[0], {**GOOD[1], "count": value}, *GOOD[2:]) == (change("count", "1", "1", shown),)


def test_field_that_is_missing_or_new_is_told() -> None:
    sent = ({"start": "t0", "price": 0.0, "note": "x"}, *GOOD[1:])
    assert changes(*sent) == (change("count", "0", "0", ABSENT), change("note", "0", ABSENT, '"x"'))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (GOOD[2:], change(WHOLE, "before 0", "2 records", ABSENT)),
        (GOOD[:-1], change(WHOLE, "before 5", "1 record", ABSENT)),
        ((GOOD[0], *GOOD), change(WHOLE, "0", ABSENT, "1 record")),
        ((), change(WHOLE, "before 0", "6 records", ABSENT)),
    ],
)
def test_records_left_out_or_added_are_counted(sent: tuple[Mapping[str, object], ...], told: Change) -> None:
    assert changes(*sent) == (told,)
