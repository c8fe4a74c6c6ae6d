"""From an untyped TOML table to a frozen dataclass, or one sentence that says what is wrong and where."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin

Row = TypeVar("Row")
# Where nothing else is said, a number is 0 or more.
Signed: TypeAlias = Annotated[float, "signed"]


class ProfileInvalid(ValueError):  # noqa: N818 - named by what happened
    """A profile breaks a rule; the message names place, rule, what was found and the way out."""


def read_table(kind: type[Row], table: object, *, place: str) -> Row:
    """Make a dataclass of `kind` from a table; `place` is the table's dotted name, empty at the top."""
    if not isinstance(table, dict):
        raise _wrong(place, "a table", table)
    hints = typing.get_type_hints(kind, include_extras=True)
    for key in table:
        if key not in hints:
            raise ProfileInvalid(_unknown_key(key, place, hints))
    for spec in dataclasses.fields(kind):  # type: ignore[arg-type]  # `kind` is one of our dataclasses
        required = spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
        if required and spec.name not in table:
            msg = f"`{spec.name}` is missing{_inside(place)}"
            raise ProfileInvalid(msg)
    return kind(**{key: _value(hints[key], value, _dotted(place, key)) for key, value in table.items()})


def _value(hint: Any, value: object, place: str) -> object:  # noqa: ANN401, PLR0911 - a hint is whatever typing gives; one return a kind
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return read_table(typing.cast("type[object]", hint), value, place=place)
    if origin in (typing.Union, types.UnionType):
        return _value(next(option for option in get_args(hint) if option is not type(None)), value, place)
    if origin is typing.Literal:
        return _choice(get_args(hint), value, place)
    if origin is tuple:
        return _array(get_args(hint)[0], value, place)
    if origin is dict:
        return _table_of(get_args(hint)[1], value, place)
    if hint is str:
        return _text(value, place)
    if origin is Annotated:
        return _number(hint.__origin__, value, place)
    return _not_negative(hint, _number(hint, value, place), place)


def _choice(options: tuple[str, ...], value: object, place: str) -> object:
    if value in options:
        return value
    raise _wrong(place, "one of " + ", ".join(repr(option) for option in options), value)


def _array(item_hint: object, value: object, place: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _wrong(place, "an array", value)
    return tuple(_value(item_hint, item, f"{place}[{index}]") for index, item in enumerate(value))


def _table_of(item_hint: object, value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _wrong(place, "a table", value)
    return {key: _value(item_hint, item, _dotted(place, key)) for key, item in value.items()}


def _text(value: object, place: str) -> str:
    if isinstance(value, str):
        return value
    raise _wrong(place, "a string", value)


def _number(hint: object, value: object, place: str) -> float:
    wanted = "a whole number" if hint is int else "a number"
    allowed = int if hint is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
        raise _wrong(place, wanted, value)
    return value


def _not_negative(hint: object, number: float, place: str) -> float:
    if number < 0:
        wanted = "a whole number" if hint is int else "a number"
        raise _wrong(place, f"{wanted}, 0 or more", number)
    return number


def _wrong(place: str, wanted: str, found: object) -> ProfileInvalid:
    return ProfileInvalid(f"`{place}` must be {wanted}, got {found!r}")


def _unknown_key(key: str, place: str, known: dict[str, object]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f", did you mean `{near[0]}`?" if near else f": known are {', '.join(known)}"
    return f"unknown key `{key}`{_inside(place)}{hint}"


def _inside(place: str) -> str:
    return f" in `[{place}]`" if place else ""


def _dotted(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
