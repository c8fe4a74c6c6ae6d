"""Flaws of CSV bodies; a good one is a header and rows, ended by line feeds, without quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract.malformed import (
    ANSWERED,
    BROKEN,
    DOUBTFUL,
    MALFORMED,
    MIDDLE,
    NO_UTF_8,
    REFUSED,
    UNKNOWN,
    Flaw,
    around,
    coded,
    flaws,
    instead,
    with_new,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from harness.contract.malformed import Edit
    from harness.contract.profile import WindowRule

    Change = Callable[[bytes], bytes]


def _lines(good: bytes) -> list[bytes]:
    return good.removesuffix(b"\n").split(b"\n")


def _text(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _row(change: Change, place: int = MIDDLE) -> Edit:
    """Change one row; -1 is the last."""

    def edit(_: WindowRule, good: bytes) -> bytes:
        header, *rows = _lines(good)
        at = place % len(rows)
        rows[at] = change(rows[at])
        return _text([header, *rows])

    return edit


def _header(change: Change) -> Edit:
    return lambda _, good: _text([change(_lines(good)[0]), *_lines(good)[1:]])


def _each_line(change: Change) -> Edit:
    return lambda _, good: _text(map(change, _lines(good)))


def _number(change: Change, place: int = MIDDLE) -> Edit:
    """Change the last number field of one row."""

    def edit(rule: WindowRule, good: bytes) -> bytes:
        column = _lines(good)[0].split(b",").index(rule.of_kind("number")[-1].encode())

        def in_row(row: bytes) -> bytes:
            cells = row.split(b",")
            cells[column] = change(cells[column])
            return b",".join(cells)

        return _row(in_row, place)(rule, good)

    return edit


def _spelt(text: str, place: int = MIDDLE) -> Edit:
    return _number(lambda _: text.encode(), place)


def _unknown(cell: bytes, place: int = MIDDLE, name: bytes = UNKNOWN) -> Edit:
    """Add an unknown column, with one cell unlike the others."""

    def edit(_: WindowRule, good: bytes) -> bytes:
        header, *rows = _lines(good)
        cells = [b"a"] * len(rows)
        cells[place % len(rows)] = cell
        return _text([header + b"," + name, *(row + b"," + each for row, each in zip(rows, cells, strict=True))])

    return edit


def _quoted(line: bytes) -> bytes:
    return b",".join(b'"%s"' % cell for cell in line.split(b","))


def _without_last(row: bytes) -> bytes:
    return row[: row.rindex(b",")]


def _first_again(row: bytes) -> bytes:
    return row + b"," + row.split(b",")[0]


_NO_NUMBERS = (
    *("1_000", "0x10", "0b1", "1 000", "1'000", "1.2.3", "1e", "e1", "--1", "+-1", "12 BTC", "$12", "12%", "(12)"),
    *("1/2", "\uff11\uff12", "\u0663", "\u00bd", "\u00b2", "null", "None", "N/A", "true", "nan", "-Infinity", "many"),
)
_TOO_FEW: dict[str, Change] = {
    "one cell alone": lambda row: row.split(b",")[0],
    "no last cell": _without_last,
}
_TOO_MANY: dict[str, Change] = {
    "a cell more": lambda row: row + b",7",
    "an empty cell more": lambda row: row + b",",
    "as many cells again": lambda row: row + b"," + row,
}
_RAGGED = _TOO_FEW | _TOO_MANY
_ENDS = {"the first row": 0, "a row": MIDDLE, "the last row": -1}


def _ragged_at_each_end(changes: dict[str, Change]) -> dict[str, Edit]:
    return {f"{row} has {how}": _row(change, at) for row, at in _ENDS.items() for how, change in changes.items()}


NO_CSV = {
    "no text": flaws(
        "csv",
        MALFORMED,
        {
            "empty": instead(b""),
            **{f"an unknown cell holds {bad!r}": _unknown(b"a%sb" % bad) for bad in NO_UTF_8},
            "an unknown name holds bad UTF-8": _unknown(b"a", name=b"a\xffb"),
            "bad UTF-8 after it": around(b"", b"\xff"),
        },
    ),
    "too few cells": flaws("csv", MALFORMED, _ragged_at_each_end(_TOO_FEW)),
    "too many cells": flaws("csv", MALFORMED, _ragged_at_each_end(_TOO_MANY)),
    "a ragged end or header": flaws(
        "csv",
        MALFORMED,
        {
            "a name more in the header": _header(lambda header: header + b"," + UNKNOWN),
            "cut in the last row": lambda _, good: good[: good.rindex(b",") - 3],
        },
    ),
}
BROKEN_CSV = {
    "too few rows": flaws(
        "csv",
        BROKEN,
        {
            "a header alone": lambda _, good: _text(_lines(good)[:1]),
            "a header alone, without its line's end": lambda _, good: _lines(good)[0],
            "cut after a row": lambda _, good: _text(_lines(good)[: len(_lines(good)) // 2 + 1]),
        },
        rule="D5",
    ),
    "no number": flaws("csv", BROKEN, {f"a number is {text}": _spelt(text) for text in _NO_NUMBERS}, rule="D2"),
    "no header": flaws(
        "csv",
        REFUSED,
        {
            "blank": instead(b" \r\n"),
            "JSON": instead(b'{"window": []}'),
            "no header": lambda _, good: _text(_lines(good)[1:]),
            "a name less in the header": _header(_without_last),
            "cut in the header": lambda _, good: good[: good.index(b"\n") - 3],
            "semicolons for commas": with_new(b",", b";", -1),
            "tabs for commas": with_new(b",", b"\t", -1),
        },
    ),
    "a stray quote": flaws(
        "csv",
        REFUSED,
        {
            "a quote in a number": _number(lambda cell: cell + b'"7'),
            "a quote after a number": _number(lambda cell: cell + b'"'),
            "something after a quoted number": _number(lambda cell: b'"%s"7' % cell),
            "a quote that never ends": _number(lambda cell: b'"' + cell),
            "a quote that never ends, in the header": _header(lambda header: b'"' + header),
            "a comma for thousands, quoted": _spelt('"1,000"'),
        },
    ),
    "an empty cell in quotes": flaws("csv", REFUSED, {"a number is nothing in quotes": _spelt('""')}, rule="D4"),
    "a NUL": flaws(
        "csv",
        REFUSED,
        {"a NUL in a number": _number(lambda cell: cell + b"\0"), "a NUL after it": around(b"", b"\0")},
    ),
}
DOUBTFUL_CSV = flaws(
    "csv",
    DOUBTFUL,
    {
        "a byte order mark": around(b"\xef\xbb\xbf"),
        "UTF-16": coded("utf-16"),
        "UTF-16 without a byte order mark": coded("utf-16-le"),
        "every cell quoted": _each_line(_quoted),
        "a number quoted": _number(lambda cell: b'"%s"' % cell),
        "the header quoted": _header(_quoted),
        "an unknown cell with quotes in quotes": _unknown(b'"a""b"'),
        "an unknown cell with a comma in quotes": _unknown(b'"a,b"'),
        "an unknown cell with a line's end in quotes": _unknown(b'"a\nb"'),
        "an unknown cell with a stray quote": _unknown(b'a"b'),
        "an unknown cell with a form feed": _unknown(b"a\fb"),
        "an unknown cell with a line's end of Unicode": _unknown("a\u2028b\x85c".encode()),
        "an unknown cell is empty": _unknown(b""),
        "an unknown cell of 200,000 letters": _unknown(b"a" * 200_000),
        "a comma at the end of every line": _each_line(lambda line: line + b","),
        "a column twice": _each_line(_first_again),
        "blank lines between rows": with_new(b"\n", b"\n\n", -1),
        "blank lines at the end": around(b"", b"\n\r\n\n"),
        "a blank line first": around(b"\n"),
        "lines that end in CR": with_new(b"\n", b"\r", -1),
        "some lines that end in CRLF": with_new(b"\n", b"\r\n", 7),
        "spaces after commas": with_new(b",", b", ", -1),
        "a number with a sign": _number(lambda cell: b"+" + cell),
        "a number with a zero before it": _number(lambda cell: b"0" + cell),
        "a number with an exponent": _number(lambda cell: cell + b"e0"),
        "a number that ends in a point": _spelt("7."),
        "a number that begins with a point": _spelt(".7"),
        "a number of 10**400": _spelt("1" + "0" * 400),
        "a number of 1e400": _spelt("1e400"),
        "a number of -0": _spelt("-0"),
    },
)
ODD_CSV = flaws(
    "csv",
    ANSWERED,
    {
        "lines that end in CRLF": with_new(b"\n", b"\r\n", -1),
        "lines that end in CRLF, the last without": lambda _, good: good.removesuffix(b"\n").replace(b"\n", b"\r\n"),
        "no end of the last line": lambda _, good: good.removesuffix(b"\n"),
        "an unknown column": _unknown(b"b"),
        "an unknown column beyond ASCII": _unknown("\u00e9\U0001f600".encode()),
    },
)


def csv_flaws(rule: WindowRule) -> SearchStrategy[Flaw]:
    """Return a strategy of bodies that are no CSV, or no whole window: ragged, cut or spelt wrongly anywhere."""
    rows, at = st.integers(0, rule.records - 1), st.integers(0, 1_000)
    return st.one_of(
        st.builds(_ragged, st.sampled_from(list(_RAGGED)), rows),
        st.builds(_cut, rows, at, st.just(rule.records)),
        rows.map(_cut_after),
        st.builds(_cut_in_last_cell, st.integers(0, rule.records - 2), at),
        at.map(_cut_in_header),
        st.builds(_no_utf_8, st.sampled_from(NO_UTF_8), rows),
        st.builds(_no_number, st.sampled_from(_NO_NUMBERS), rows),
    )


def _flaw(says: str, statuses: frozenset[int], edit: Edit, rule: str = "C9") -> Flaw:
    return Flaw(says=says, codec="csv", statuses=statuses, edit=edit, rule=rule)


def _ragged(how: str, row: int) -> Flaw:
    return _flaw(f"row {row} has {how}", MALFORMED, _row(_RAGGED[how], row))


def _cut(row: int, place: int, records: int) -> Flaw:
    """Cut within a row, before its last cell: what is left has too few cells and, but for the last row, too few rows.

    Who counts the rows first is right to call that a breach.
    """

    def edit(_: WindowRule, good: bytes) -> bytes:
        lines = _lines(good)
        last = lines[row + 1]
        return _text(lines[: row + 1]) + last[: 1 + place % last.rindex(b",")]

    return _flaw(f"cut in row {row} at {place}", MALFORMED if row == records - 1 else REFUSED, edit)


def _cut_after(row: int) -> Flaw:
    return _flaw(f"cut after {row} rows", BROKEN, lambda _, good: _text(_lines(good)[: row + 1]), "D5")


def _cut_in_last_cell(row: int, place: int) -> Flaw:
    """Cut within the last cell of a row that is not the last: as wide as the others, but the rows are too few."""

    def edit(_: WindowRule, good: bytes) -> bytes:
        lines = _lines(good)
        before, _comma, cell = lines[row + 1].rpartition(b",")
        return _text(lines[: row + 1]) + before + b"," + cell[: place % len(cell)]

    return _flaw(f"cut in the last cell of row {row}", BROKEN, edit, "D5")


def _cut_in_header(place: int) -> Flaw:
    return _flaw(f"cut in the header at {place}", REFUSED, lambda _, good: good[: 1 + place % (good.index(b"\n") - 1)])


def _no_utf_8(bad: bytes, row: int) -> Flaw:
    return _flaw(f"an unknown cell of row {row} holds {bad!r}", MALFORMED, _unknown(b"a%sb" % bad, row))


def _no_number(text: str, row: int) -> Flaw:
    return _flaw(f"a number of row {row} is {text}", BROKEN, _spelt(text, row), "D2")
