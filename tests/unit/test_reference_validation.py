import csv
import io
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.contract.series import generate
from reference_container.validation import (
    FIELDS,
    Breach,
    Malformed,
    Window,
    _parse_any_json,
    parse_csv,
    parse_json,
    validate,
)

NOW_NS = 1_709_251_230_000_000_000  # 2024-03-01T00:00:30Z: a window that ends now begins on a leap day
SECOND_NS = 1_000_000_000
Records = list[dict[str, Any]]
Edit = Callable[[Records], object]


def stamp(moment_ns: int, digits: int = 9) -> str:
    """Format nanoseconds since 1970."""
    seconds, fraction = divmod(moment_ns, SECOND_NS)
    shown = f"{fraction:09d}"[:digits]
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + (f".{shown}" if digits else "") + "Z"


def good(*, level: float = 30_000.0, volatility: float = 4e-5, seconds: int = 60, end_ns: int = NOW_NS) -> Records:
    """Build the records of a window that ends at `end_ns`."""
    first_ns = end_ns - seconds * SECOND_NS
    series = generate(seed=1, seconds=seconds, level=level, volatility=volatility)
    return [
        {
            "time_period_start": stamp(start_ns),
            "time_period_end": stamp(start_ns + SECOND_NS),
            "time_open": stamp(start_ns + second.first_event_ns),
            "time_close": stamp(start_ns + second.last_event_ns),
            "price_open": second.open,
            "price_high": second.high,
            "price_low": second.low,
            "price_close": second.close,
            "volume_traded": second.volume,
            "trades_count": second.count,
        }
        for start_ns, second in zip(range(first_ns, end_ns, SECOND_NS), series, strict=True)
    ]


def from_json(records: object, now_ns: int = NOW_NS) -> Window:
    """Check records as a JSON body."""
    return validate(parse_json(json.dumps({"window": records}).encode()), now_ns)


def as_csv(records: Records, line_end: str = "\n") -> bytes:
    """Encode records, None as an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator=line_end)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def with_value(field: str, value: object, index: int = 17) -> Edit:
    """Return an edit that sets one field of one record."""
    return lambda records: records[index].__setitem__(field, value)


def shifted(records: Records, by_ns: int, since: int) -> None:
    """Move the times of the records from `since` on."""
    later = good(end_ns=NOW_NS + by_ns)
    for index in range(since, len(records)):
        for field in ("time_period_start", "time_period_end", "time_open", "time_close"):
            records[index][field] = later[index][field]


@pytest.mark.parametrize("level", [1.0, 7.3, 30_000.0, 1_000_000.0])
@pytest.mark.parametrize("volatility", [0.0, 4e-5])
def test_a_good_window_passes_at_every_level_in_both_encodings(level: float, volatility: float) -> None:
    records = good(level=level, volatility=volatility)
    window = from_json(records)
    assert list(window.closes) == [record["price_close"] for record in records]
    assert window.as_of == records[-1]["time_period_end"]
    assert validate(parse_csv(as_csv(records)), NOW_NS) == _with_lists(window)
    assert validate(parse_csv(as_csv(records, "\r\n")), NOW_NS) == _with_lists(window)


def _with_lists(window: Window) -> Window:
    return Window(highs=list(window.highs), lows=list(window.lows), closes=list(window.closes), as_of=window.as_of)


HARMLESS: Mapping[str, Edit] = {
    "an unknown field": with_value("venue", {"name": None}),
    "a whole number written as a fraction": with_value("trades_count", 4.0),
    "a price without a fraction": lambda records: records[17].update(
        dict.fromkeys(("price_open", "price_high", "price_low", "price_close"), 30_000)
    ),
    "a price in scientific notation": lambda records: records[17].update(
        dict.fromkeys(("price_open", "price_high", "price_low", "price_close"), 7.1e3)
    ),
    "fields in another order": lambda records: records.__setitem__(17, dict(reversed(list(records[17].items())))),
    "no fraction of a second": with_value("time_period_start", stamp(NOW_NS - 43 * SECOND_NS, 0)),
    "one digit of it": with_value("time_period_start", stamp(NOW_NS - 43 * SECOND_NS, 1)),
    "a carried-forward second": lambda records: records[17].update(
        time_open=records[17]["time_period_start"], time_close=records[17]["time_period_end"], trades_count=0
    ),
    "no volume": with_value("volume_traded", 0),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_allowed_is_not_refused(name: str) -> None:
    records = good()
    HARMLESS[name](records)
    assert from_json(records).as_of == stamp(NOW_NS)


PRICES_AT_ZERO = dict.fromkeys(("price_open", "price_high", "price_low", "price_close"), 0)
BREACHES: Mapping[str, tuple[str, Edit]] = {
    "D1 a field is missing": ("accuracy", lambda records: records[17].pop("price_low")),
    "D2 a number as text": ("accuracy", with_value("price_close", "30000")),
    "D2 a boolean": ("accuracy", with_value("trades_count", True)),  # noqa: FBT003 - it is what must be refused
    "D2 a list": ("accuracy", with_value("volume_traded", [1])),
    "D2 half a trade": ("accuracy", with_value("trades_count", 1.5)),
    "D2 a number for a time": ("accuracy", with_value("time_open", 1_709_251_230)),
    "D2 an offset in place of Z": ("accuracy", with_value("time_open", "2024-02-29T23:59:47+00:00")),
    "D2 no zone": ("accuracy", with_value("time_open", "2024-02-29T23:59:47")),
    "D2 ten digits": ("accuracy", with_value("time_open", "2024-02-29T23:59:47.0000000000Z")),
    "D2 a dot alone": ("accuracy", with_value("time_open", "2024-02-29T23:59:47.Z")),
    "D2 no such day": ("accuracy", with_value("time_open", "2023-02-29T23:59:47Z")),
    "D2 second 60": ("accuracy", with_value("time_open", "2024-02-29T23:59:60Z")),
    "D2 hour 24": ("accuracy", with_value("time_open", "2024-02-29T24:00:00Z")),
    "D2 other digits": ("accuracy", with_value("time_open", "٢٠٢٤-02-29T23:59:47Z")),
    "D2 a line end": ("accuracy", with_value("time_open", "2024-02-29T23:59:47Z\n")),
    "D2 no time at all": ("accuracy", with_value("time_open", "")),
    "D3 all prices 0": ("accuracy", lambda records: records[17].update(PRICES_AT_ZERO)),
    "D3 a negative price": ("accuracy", with_value("price_low", -1)),
    "D3 a negative volume": ("accuracy", with_value("volume_traded", -0.1)),
    "D3 a negative count": ("accuracy", with_value("trades_count", -1)),
    "D3 the low above the close": ("accuracy", with_value("price_low", 30_100.0)),
    "D3 the high below the open": ("accuracy", with_value("price_high", 30_000.0)),
    "D4 null": ("completeness", with_value("price_close", None)),
    "D4 null for a time": ("completeness", with_value("time_close", None)),
    "D5 59 records": ("completeness", lambda records: records.pop(0)),
    "D5 none": ("completeness", lambda records: records.clear()),
    "D6 a gap": ("completeness", lambda records: shifted(records, SECOND_NS, 30)),
    "D6 a second twice": ("completeness", lambda records: records.__setitem__(17, dict(records[16]))),
    "D6 an overlap": ("completeness", lambda records: shifted(records, -SECOND_NS // 2, 30)),
    "D7 newest first": ("consistency", lambda records: records.reverse()),
    "D7 two swapped": ("consistency", lambda records: records.insert(17, records.pop(18))),
    "D8 a period of two seconds": ("consistency", with_value("time_period_end", stamp(NOW_NS), 58)),
    "D8 opened before the period": ("consistency", with_value("time_open", stamp(NOW_NS - 44 * SECOND_NS))),
    "D8 closed after it": ("consistency", with_value("time_close", stamp(NOW_NS - 41 * SECOND_NS))),
    "D11 too dear": ("relevancy", lambda records: records[17].update(price_high=1e7 + 1)),
    "D11 too cheap": ("relevancy", with_value("price_low", 0.99)),
}


@pytest.mark.parametrize("name", BREACHES)
def test_each_breach_names_its_dimension(name: str) -> None:
    dimension, edit = BREACHES[name]
    records = good()
    edit(records)
    with pytest.raises(Breach) as caught:
        from_json(records)
    assert caught.value.dimension == dimension


@pytest.mark.parametrize(("age_s", "refused"), [(60, False), (61, True), (-2, False), (-3, True)])
def test_a_window_is_of_now(age_s: int, refused: bool) -> None:  # noqa: FBT001 - a column of the table
    records = good()
    if not refused:
        assert from_json(records, NOW_NS + age_s * SECOND_NS)
        return
    with pytest.raises(Breach) as caught:
        from_json(records, NOW_NS + age_s * SECOND_NS)
    assert caught.value.dimension == "timeliness"


@pytest.mark.parametrize("window", ["missing", None, "text", {}, [1, 2], [None]])
def test_a_window_that_is_no_list_of_records_is_inaccurate(window: object) -> None:
    document = {} if window == "missing" else {"window": window}
    with pytest.raises(Breach) as caught:
        parse_json(json.dumps(document).encode())
    assert caught.value.dimension == "accuracy"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"null", b'{"window":[NaN]}', b'{"window":[Infinity]}', b"\xff"]
)
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(body)


@pytest.mark.parametrize("name", HARMLESS)
def test_the_typed_parser_reads_what_the_general_one_reads(name: str) -> None:
    records = good()
    HARMLESS[name](records)
    body = json.dumps({"window": records}).encode()
    typed, general = parse_json(body), _parse_any_json(body)
    assert {field: list(cells) for field, cells in typed.items()} == general


@pytest.mark.parametrize("note", [b'"\xff"', b"[" * 2_000 + b"]" * 2_000, b"NaN", b"01", b'"\x01"'])
def test_what_stands_in_a_field_that_is_ignored_must_be_json_too(note: bytes) -> None:
    body = json.dumps({"window": good()}).encode().replace(b'{"time', b'{"note": ' + note + b', "time', 1)
    with pytest.raises(Malformed):
        parse_json(body)


def test_a_text_that_is_not_ascii_is_read_in_a_field_that_is_ignored() -> None:
    records = good()
    records[17]["venue"] = "Börse"
    body = json.dumps({"window": records}, ensure_ascii=False).encode()
    assert validate(parse_json(body), NOW_NS).as_of == stamp(NOW_NS)


def test_a_number_beyond_all_floats_is_refused() -> None:
    body = json.dumps({"window": good()}).replace(
        f'"volume_traded": {good()[5]["volume_traded"]}', '"volume_traded": 1e400'
    )
    with pytest.raises((Breach, Malformed)):
        validate(parse_json(body.encode()), NOW_NS)


MALFORMED_CSV: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "line ends alone": lambda _: b"\r\n\n",
    "a cell too many": lambda body: body.replace(b"\n", b",1\n", 5).replace(b",1\n", b"\n", 4),
    "an empty line in between": lambda body: body.replace(b"\n", b"\n\n", 1),
    "an open quote": lambda body: body.replace(b"\n", b'\n"', 1),
    "not UTF-8": lambda body: body + b"\xff",
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "a column twice": lambda body: body.replace(b"price_open", b"price_low", 1),
}


@pytest.mark.parametrize("name", MALFORMED_CSV)
def test_what_is_no_csv_table_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        parse_csv(MALFORMED_CSV[name](as_csv(good())))


@pytest.mark.parametrize(
    ("value", "dimension"),
    [
        (None, "completeness"),
        *((text, "accuracy") for text in ("nan", "inf", "-inf", "1_000", " 1", "0x1", "1e999", "x")),
    ],
)
def test_a_csv_cell_must_hold_a_number(value: str | None, dimension: str) -> None:
    records = good()
    records[17]["volume_traded"] = value
    with pytest.raises(Breach) as caught:
        validate(parse_csv(as_csv(records)), NOW_NS)
    assert caught.value.dimension == dimension


def test_a_csv_without_its_header_lacks_every_field() -> None:
    body = as_csv(good()).partition(b"\n")[2]
    with pytest.raises(Breach) as caught:
        parse_csv(body)
    assert caught.value.dimension == "accuracy"


def test_quoted_cells_and_columns_in_another_order_are_read() -> None:
    records = [{"note": 'a "b", c', **dict(reversed(list(record.items())))} for record in good()]
    assert validate(parse_csv(as_csv(records)), NOW_NS).as_of == stamp(NOW_NS)
    assert set(FIELDS) < set(records[0])
