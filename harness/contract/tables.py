"""From an untyped TOML table to a frozen dataclass, or one sentence that says what is wrong and where."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import math
import tomllib
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Row = TypeVar("Row")
_UNITS = {
    "_bytes_per_s": "bytes/s",
    "_per_s": "1/s",
    "_s": "s",
    "_h": "h",
    "_minutes": "min",
    "_bytes": "bytes",
    "_mb": "MiB",
    "_share": "share of 1",
    "_move": "share of 1",
    "_tolerance": "share of 1",
    "_margin": "share of 1",
    "_band": "share of 1",
    "_bps": "hundredths of a percent",
}
# Where nothing else is said, a number is 0 or more.
Signed: TypeAlias = Annotated[float, "signed"]


class ProfileInvalid(ValueError):  # noqa: N818 - named by what happened
    """A profile breaks a rule; the message names place, rule, what was found and the way out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What a key means, and which checks look at it."""

    says: str
    checks: str


def entry(default: Any, says: str, checks: str) -> Any:  # noqa: ANN401 - as `dataclasses.field`, whose place it takes
    """Declare a key that may be left out."""
    about = {"key": Key(says, checks)}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=about)
    return dataclasses.field(default=default, metadata=about)


def unit_of(name: str) -> str:
    """Return the unit that a key's name carries; empty where it carries none."""
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def read_toml(path: Path, subject: str, refusal: type[Exception] = ProfileInvalid) -> tuple[dict[str, object], str]:
    """Return a file's table and SHA-256; raise `refusal` with one sentence where it cannot be read or is no TOML."""
    try:
        raw = path.read_bytes()
        return tomllib.loads(raw.decode()), hashlib.sha256(raw).hexdigest()
    except OSError as error:
        msg = f"{subject} {path}: cannot be read: {error.strerror}"
        raise refusal(msg) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{subject} {path}: is not TOML: {error}"
        raise refusal(msg) from error


def of_version(found: object, ours: int) -> str:
    """Say what is wrong with a file's `schema`; empty where this harness reads it."""
    if found == ours:
        return ""
    wrong = f"`schema` must be {ours}, got {found!r}: this harness reads no other version"
    if isinstance(found, int) and found > ours:
        return f"{wrong}, it was written for a later one: update inference-harness, or write it as version {ours}"
    return f"{wrong}, write it as version {ours}"


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


def problems_of(kind: type[object], table: object, *, place: str) -> list[str]:
    """Return all that keeps a table from becoming a dataclass of `kind`, one sentence each."""
    if not isinstance(table, dict):
        return [str(_wrong(place, "a table", table))]
    hints = typing.get_type_hints(kind, include_extras=True)
    found = [_unknown_key(name, place, hints) for name in table if name not in hints]
    for spec in dataclasses.fields(kind):  # type: ignore[arg-type]  # `kind` is one of our dataclasses
        if spec.name in table:
            found += _problems_at(hints[spec.name], table[spec.name], _dotted(place, spec.name))
        elif spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING:
            found.append(f"`{spec.name}` is missing{_inside(place)}")
    return found


def _problems_at(hint: Any, value: object, place: str) -> list[str]:  # noqa: ANN401 - a hint is whatever typing gives
    inner = get_args(hint)[1] if get_origin(hint) is dict else hint
    if not dataclasses.is_dataclass(inner):
        try:
            _value(hint, value, place)
        except ProfileInvalid as error:
            return [str(error)]
        return []
    of = typing.cast("type[object]", inner)
    if inner is hint or not isinstance(value, dict):
        return problems_of(of, value, place=place)
    return [problem for name, item in value.items() for problem in problems_of(of, item, place=_dotted(place, name))]


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
    if hint in _PLAIN:
        return _PLAIN[hint](value, place)
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


def _truth(value: object, place: str) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(place, "true or false", value)


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


_PLAIN: dict[object, Callable[[object, str], object]] = {str: _text, bool: _truth}
