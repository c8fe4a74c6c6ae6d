"""What a profile may say, key by key: for a person, and as a JSON Schema for editors; both made of its keys."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from harness.contract.profile import Profile
from harness.contract.rules import RULES
from harness.contract.tables import Key, unit_of
from harness.contract.toml_text import toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMPUTED = "sha256"
_WORDS: dict[object, str] = {str: "text", bool: "true or false", int: "whole number", float: "number"}
_SIMPLE: dict[object, dict[str, object]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number", "minimum": 0},
}
# What a table of a free name stands for.
_ANY_NAME = "NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key: the table that it stands in, its name, type, unit and default as they are written, and what it means."""

    place: str
    name: str
    kind: str
    unit: str
    default: str
    says: str
    checks: str

    def lines(self) -> Iterator[str]:
        """Say it in a few lines."""
        default = f", default {self.default}" if self.default else ", must be there"
        yield f"{self.name} ({self.kind}{', ' if self.unit else ''}{self.unit}{default})"
        yield f"    {self.says}"
        yield f"    looked at by: {self.checks}"


def entries(kind: type[object] = Profile, place: str = "") -> Iterator[Entry]:
    """Yield every key that a profile may hold, table by table."""
    hints, tables = typing.get_type_hints(kind, include_extras=True), []
    for spec in dataclasses.fields(kind):  # type: ignore[arg-type]  # `kind` is one of our dataclasses
        inner, dotted = _inner(hints[spec.name]), f"{place}.{spec.name}".removeprefix(".")
        if dataclasses.is_dataclass(inner):
            named = dotted if inner is hints[spec.name] else f"{dotted}.{_ANY_NAME}"
            tables.append((typing.cast("type[object]", inner), named))
        elif spec.name != _COMPUTED:
            yield _entry(spec, hints[spec.name], place)
    for of, dotted in tables:
        yield from entries(of, dotted)


def explained(words: Sequence[str] = ()) -> Iterator[str]:
    """Yield the lines that explain every key, and the rules that may be waived; or the keys that hold some word."""
    place = None
    for entry in entries():
        if words and not any(word in f"{entry.place}.{entry.name}" for word in words):
            continue
        if entry.place != place:
            place = entry.place
            yield from ("", f"[{place}]" if place else "At the top")
        yield from entry.lines()
    if words:
        return
    yield from ("", "Rules, as `[waived]` and the checks name them")
    yield from (f"{rule.id:<4} {rule.sentence}" for rule in RULES.values())


def schema() -> dict[str, object]:
    """Return the JSON Schema of a profile: draft 7, which editors of TOML know."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "inference-harness profile",
        **_table(Profile),
    }


def _entry(spec: dataclasses.Field[Any], hint: object, place: str) -> Entry:
    about = _about(spec)
    return Entry(
        place=place,
        name=spec.name,
        kind=_words(hint),
        unit=unit_of(spec.name),
        default=_default(spec),
        says=about.says,
        checks=about.checks,
    )


def _about(spec: dataclasses.Field[Any]) -> Key:
    found: Key = spec.metadata["key"]
    return found


def _default(spec: dataclasses.Field[Any]) -> str:
    if spec.default_factory is not dataclasses.MISSING:
        return toml(spec.default_factory())
    return "" if spec.default is dataclasses.MISSING else toml(spec.default)


def _inner(hint: Any) -> Any:  # noqa: ANN401 - a hint is whatever typing gives
    """Return what a table of free names holds, or what may be left out is; else the hint itself."""
    return get_args(hint)[1] if get_origin(hint) is dict else hint


def _bare(hint: Any) -> Any:  # noqa: ANN401 - likewise
    """Return a hint without that it may be none."""
    options = [option for option in get_args(hint) if option is not type(None)]
    return options[0] if type(None) in get_args(hint) else hint


def _words(hint: object) -> str:
    hint = _bare(hint)
    origin = get_origin(hint)
    if origin is Annotated:
        return "number, may be negative"
    if origin is Literal:
        return "one of " + ", ".join(map(toml, get_args(hint)))
    if origin is tuple:
        return f"list of {_words(get_args(hint)[0])}"
    if origin is dict:
        return f"table of {_words(get_args(hint)[1])}"
    return _WORDS[hint]


def _table(kind: type[object]) -> dict[str, object]:
    hints = typing.get_type_hints(kind, include_extras=True)
    specs = [spec for spec in dataclasses.fields(kind) if spec.name != _COMPUTED]  # type: ignore[arg-type]  # likewise
    required = [
        spec.name
        for spec in specs
        if spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
    ]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {spec.name: _described(spec, hints[spec.name]) for spec in specs},
        **({"required": required} if required else {}),
    }


def _described(spec: dataclasses.Field[Any], hint: object) -> dict[str, object]:
    inner = _inner(hint)
    if dataclasses.is_dataclass(inner):
        table = _table(typing.cast("type[object]", inner))
        return table if inner is hint else {"type": "object", "additionalProperties": table}
    about, unit = _about(spec), unit_of(spec.name)
    says = f"{about.says}{f' [{unit}]' if unit else ''}; default {_default(spec)}; looked at by: {about.checks}"
    waived = {"propertyNames": {"enum": list(RULES)}} if spec.name == "waived" else {}
    return {**_of(hint), **waived, "description": says}


def _of(hint: object) -> dict[str, object]:
    hint = _bare(hint)
    origin = get_origin(hint)
    if origin is Annotated:
        return {"type": "number"}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin is tuple:
        return {"type": "array", "items": _of(get_args(hint)[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(get_args(hint)[1])}
    return _SIMPLE[hint]
