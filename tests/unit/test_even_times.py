"""The quick way to read a window's times: it finds what the slow way finds, or leaves it to it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from even_times import newest_end_ns
from hypothesis import given
from hypothesis import strategies as st

from reference_container.validation import TIMES, _check_each_time
from tests.unit.test_reference_validation import NOW_NS, SECOND_NS, Records, good, stamp, with_value

Times = dict[str, Any]


def times_of(records: Records) -> Times:
    """Return the four columns."""
    return {field: [record[field] for record in records] for field in TIMES}


def quick(times: Times) -> int | None:
    """Read the columns as text."""
    return newest_end_ns(*(times[field] for field in TIMES))


@pytest.mark.parametrize(
    "end_ns", [NOW_NS, NOW_NS + 30 * SECOND_NS, NOW_NS + 29 * SECOND_NS, 1_735_689_610 * SECOND_NS]
)
def test_good_times_are_read_at_once_over_minutes_days_and_years(end_ns: int) -> None:
    assert quick(times_of(good(end_ns=end_ns))) == end_ns


@pytest.mark.parametrize("digits", range(10))
def test_every_number_of_digits_is_read_at_once(digits: int) -> None:
    times = times_of(good())
    cut = {
        field: [text[:19] + (text[19 : 20 + digits] if digits else "") + "Z" for text in times[field]]
        for field in TIMES
    }
    assert quick(cut) == NOW_NS


def test_seconds_that_do_not_begin_at_a_whole_one_are_read_too() -> None:
    end_ns = NOW_NS + SECOND_NS // 4
    starts = [stamp(end_ns - back * SECOND_NS) for back in range(60, -1, -1)]
    times = dict(zip(TIMES, (starts[:-1], starts[1:], starts[:-1], starts[1:]), strict=True))
    assert quick(times) == end_ns


ODD: Mapping[str, Callable[[Records], object]] = {
    "second 60": with_value("time_close", "2024-02-29T23:59:60.000000000Z", 29),
    "minute 60": with_value("time_close", "2024-02-29T23:60:00.000000000Z", 29),
    "a close after the end": with_value("time_close", stamp(NOW_NS - 42 * SECOND_NS + 1)),
    "an open before the start": with_value("time_open", stamp(NOW_NS - 43 * SECOND_NS - 1)),
    "a close before the open": lambda records: records[17].update(
        time_open=records[17]["time_close"], time_close=records[17]["time_open"]
    ),
    "a gap": lambda records: records.pop(17),
    "two swapped": lambda records: records.insert(17, records.pop(18)),
    "an end that is another's": with_value("time_period_end", stamp(NOW_NS)),
    "a text at its neighbour's cost": lambda records: (
        records[17].update(time_open=records[17]["time_open"] + records[18]["time_open"]),
        records[18].update(time_open=""),
    ),
    "no such day": lambda records: [
        record.update({field: record[field].replace("2024-02-29", "2023-02-29") for field in TIMES})
        for record in records
    ],
    "other digits": with_value("time_open", "٢٠٢٤-02-29T23:59:47.000000000Z"),
    "a number": with_value("time_open", 1),
    "the end of all years": lambda records: [
        record.update({field: "9999-12-31T23:59" + record[field][16:] for field in TIMES}) for record in records
    ],
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_clear_is_left_to_be_read_time_by_time(name: str) -> None:
    records = good()
    ODD[name](records)
    assert quick(times_of(records)) is None


@given(
    index=st.integers(0, 59),
    field=st.sampled_from(TIMES),
    at=st.integers(0, 29),
    character=st.sampled_from("0123456789-:TZ. +é"),
)
def test_no_changed_character_makes_the_two_ways_differ(index: int, field: str, at: int, character: str) -> None:
    times = times_of(good())
    times[field][index] = times[field][index][:at] + character + times[field][index][at + 1 :]
    found = quick(times)
    if found is not None:
        assert _check_each_time(times) == found
