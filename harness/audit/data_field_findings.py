"""What is found about the fields of a data set: which are missing, dead weight, or know what is yet to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.data_fields import FieldFacts

# A field that is the next close after so many of its moves was made from it; by chance some ticks agree.
_KNOWS = 0.9
_COLLINEAR = 0.999
_WIDE = 1_000.0
_SURE_Z = 1.96


def field_findings(fields: FieldFacts, *, prices: frozenset[str]) -> Iterator[Finding]:
    """Yield what the fields say; `prices` are the names of those that carry a price."""
    yield from _missing(fields)
    yield from _ahead(fields)
    yield from _dead(fields, prices)
    yield from _collinear(fields)
    yield from _scales(fields)
    yield from _necessary(fields)


def _missing(fields: FieldFacts) -> Iterator[Finding]:
    if fields.missing:
        yield Finding(
            id="fields.missing",
            severity=Severity.BLOCKS,
            says=f"The profile's fields {', '.join(fields.missing)} are not there: no window can be made (D1).",
            advice="Get them from the vendor, or serve a model whose profile does without them.",
            numbers={"fields": ", ".join(fields.missing)},
        )
    if fields.extra:
        yield Finding(
            id="fields.unknown",
            severity=Severity.INFORMS,
            says=f"Columns that the profile does not know: {', '.join(fields.extra)}.",
            advice="Keep them out of the features: no request will carry them.",
            numbers={"fields": ", ".join(fields.extra)},
        )


def _ahead(fields: FieldFacts) -> Iterator[Finding]:
    if ahead := {name: share for name, share in fields.knows.items() if share > _KNOWS}:
        yield Finding(
            id="leakage.next_close",
            severity=Severity.BLOCKS,
            says=f"{', '.join(ahead)} of a row is the next row's close in {max(ahead.values()):.1%} of the moves: it "
            "was made from what is to be predicted.",
            advice="Take it out, or shift it back by one row: when a request is made, nobody knows it.",
            numbers={f"share_{name}": share for name, share in ahead.items()},
        )


def _dead(fields: FieldFacts, prices: frozenset[str]) -> Iterator[Finding]:
    if fields.constant:
        yield Finding(
            id="fields.constant",
            severity=Severity.BLOCKS if prices & set(fields.constant) else Severity.WARNS,
            says=f"{', '.join(fields.constant)} never changes: there is nothing to learn from it.",
            advice="Leave it out of the features; where it should change, find out what filled it.",
            numbers={f"value_{name}": value for name, value in fields.constant.items()},
        )
    if fields.same:
        yield Finding(
            id="fields.duplicate",
            severity=Severity.WARNS,
            says="The same in every row: " + ", ".join(f"{a} and {b}" for a, b in fields.same) + ".",
            advice="One of each is enough for a model; where they should differ, find out what copied them.",
            numbers={"pairs": len(fields.same)},
        )
    if fields.derived:
        yield Finding(
            id="fields.derived",
            severity=Severity.INFORMS,
            says="Always just as long after one another, so one of them is dead weight: "
            + ", ".join(f"{a} and {b}" for a, b in fields.derived)
            + ".",
            advice="Check them on arrival, and leave them out of the features.",
            numbers={"pairs": len(fields.derived)},
        )


def _collinear(fields: FieldFacts) -> Iterator[Finding]:
    if near := {pair: value for pair, value in fields.correlations.items() if abs(value) >= _COLLINEAR}:
        names = list(dict.fromkeys(name for pair in near for name in pair))
        least = min(abs(value) for value in near.values())
        yield Finding(
            id="fields.collinear",
            severity=Severity.INFORMS,
            says=f"{', '.join(names)} are one number as levels: {len(near)} pairs correlate by {least:.5f} or more.",
            advice="Give a model one level, and the others as their difference from it.",
            numbers={"pairs": len(near), "least": least},
        )


def _scales(fields: FieldFacts) -> Iterator[Finding]:
    if not fields.magnitudes:
        return
    small, large = (choose(fields.magnitudes.items(), key=lambda one: one[1]) for choose in (min, max))
    ratio = large[1] / small[1]
    is_wide = ratio > _WIDE
    yield Finding(
        id="scales.wide" if is_wide else "scales.alike",
        severity=Severity.WARNS if is_wide else Severity.INFORMS,
        says=f"Mean sizes of the fields reach from {_figure(small[1])} ({small[0]}) to {_figure(large[1])} "
        f"({large[0]}): {_figure(ratio)} times.",
        advice="Scale before training, with what the training part alone says: unscaled, the largest field rules."
        if is_wide
        else "Nothing to do.",
        numbers={"ratio": ratio, "smallest": small[1], "largest": large[1]},
    )


def _necessary(fields: FieldFacts) -> Iterator[Finding]:
    if not fields.tells:
        return
    telling = {name: one for name, one in fields.tells.items() if abs(one.z) > _SURE_Z}
    silent = [name for name in fields.tells if name not in telling]
    says = "Beside the last close, "
    says += (
        ", ".join(f"{name} ({one.value:+.3f}, {one.low:+.3f} to {one.high:+.3f})" for name, one in telling.items())
        + " tells something of the next move (correlation, 95 % interval)"
        if telling
        else "no field tells anything of the next move"
    )
    says += f"; nothing that can be seen: {', '.join(silent)}." if silent else "."
    yield Finding(
        id="fields.telling" if telling else "fields.silent",
        severity=Severity.INFORMS if telling else Severity.WARNS,
        says=says,
        advice="Begin with the close and what tells something; each other field has to earn its place on later data.",
        numbers={f"correlation_{name}": one.value for name, one in fields.tells.items()},
    )


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= _WIDE else f"{number:.3g}"
