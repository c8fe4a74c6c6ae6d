"""A first profile as TOML: what was found with how it was found, and what is otherwise than by default. Pure."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING

from harness.contract.profile import SCHEMA, Profile
from harness.contract.rules import RULES
from harness.contract.toml_text import toml, toml_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.survey.findings import Findings

_WIDTH = 118
_LONGEST_KEY = 20
_TOP = ("name", "schema", "sha256", "waived", "window")


def written(findings: Findings, *, subject: str) -> str:
    """Return the text of a profile that says what was found out about a subject, an image or an address."""
    return "\n".join([*_head(findings, subject), *_body(findings)]) + "\n"


def _head(findings: Findings, subject: str) -> Iterator[str]:
    yield from _comment(
        f"A first profile, as `harness profile init` found {subject}. Read it, correct it, and make it yours: it says "
        "what the container does, not yet what it promises. Keys that are not here are as in the default profile; "
        "`harness profile explain` tells all."
    )
    for title, items in (
        ("Not found out:", findings.unknown),
        ("Wrong, and not waived: `harness gate` will say so too.", findings.faults),
    ):
        if items:
            yield "#"
            yield from _comment(title)
            for item in items:
                yield from _comment(item, mark="- ")


def _body(findings: Findings) -> Iterator[str]:
    profile = findings.profile
    yield from (f"schema = {SCHEMA}", f"name = {_value(profile.name)}")
    for spec in dataclasses.fields(Profile):
        if spec.name not in _TOP:
            lines = list(_table(findings, spec.name))
            yield from ("", f"[{spec.name}]", *lines) if lines else ()
    yield from ("", *_waived(profile.waived))
    yield from ("", "[window]", *_table(findings, "window", is_whole=True))
    for name, field in profile.window.fields.items():
        yield from ("", f"[window.fields.{toml_key(name)}]")
        yield from (f"{key} = {_value(value)}" for key, value in _pairs(field) if value is not None)


def _table(findings: Findings, name: str, *, is_whole: bool = False) -> Iterator[str]:
    """Yield the keys of a table that were found, or are no default."""
    table = getattr(findings.profile, name)
    defaults = {spec.name: _default(spec) for spec in dataclasses.fields(table)}
    for key, value in _pairs(table):
        how = findings.how.get(f"{name}.{key}")
        if key != "fields" and (is_whole or how is not None or value != defaults[key]):
            yield from _comment(how) if how else ()
            yield f"{key} = {_value(value)}"


def _waived(waived: dict[str, str]) -> Iterator[str]:
    yield from _comment(
        "Rules that are waived for now, each with the reason that the report shows; without its line a rule is judged."
        if waived
        else "No rule is waived."
    )
    yield "[waived]"
    yield from (f"{rule_id} = {toml(waived[rule_id])}" for rule_id in sorted(waived, key=list(RULES).index))


def _pairs(table: object) -> list[tuple[str, object]]:
    return [(spec.name, getattr(table, spec.name)) for spec in dataclasses.fields(table)]  # type: ignore[arg-type]  # a dataclass


def _default(spec: dataclasses.Field[object]) -> object:
    return spec.default_factory() if spec.default_factory is not dataclasses.MISSING else spec.default


def _comment(text: str, *, mark: str = "") -> Sequence[str]:
    clean = " ".join(text.split())
    visible = "".join(sign if sign.isprintable() else "?" for sign in clean)
    indent = "#   " if mark else "# "
    return textwrap.wrap(visible, _WIDTH, initial_indent=f"# {mark}", subsequent_indent=indent, break_on_hyphens=False)


def _value(value: object) -> str:
    """Write a value as TOML does, a long list on lines of its own."""
    one_line = toml(value)
    if not isinstance(value, tuple) or len(one_line) < _WIDTH - _LONGEST_KEY:
        return one_line
    return "[\n" + "".join(f"  {toml(item)},\n" for item in value) + "]"
