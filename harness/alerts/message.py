"""One message: composed once within Slack's limits, rendered as blocks or as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from harness.alerts.entry import counts, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.alerts.alert import Headline
    from harness.alerts.entry import Entry

Block = dict[str, Any]

# Slack allows 50 blocks, 3000 characters in a section, 150 in a header, and about 13,200 in all blocks (undocumented).
_BLOCKS_MAX = 45
_HEADER_MAX = 145
_SECTION_MAX = 2_900
_CONTEXT_MAX = 1_000
_ALL_MAX = 11_000
_TEXT_MAX = 3_900
_CHECKS_MAX = 6
_NAME_MAX = 160
_EVIDENCE_MAX = 240
_READ_MAX = 2_000  # of one text, before it is cut to its place
_FRAME_BLOCKS = 3  # the header, the facts and the notes stand around the sections
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One check in a message; what is well again is struck out."""

    check: str
    evidence: str
    status: str
    is_well: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One broken rule: its MUST sentence and its checks; `hidden` ones are only counted."""

    rule: str
    must: str
    items: tuple[Item, ...]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told, already cut to what one Slack message can hold."""

    title: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()


def compose(headline: Headline, entries: Sequence[Entry], notes: Iterable[str] = ()) -> Message:
    """Compose the message that tells of these alerts; critical rules first, then in the order given."""
    sections = _sections(entries)
    shown = sections[: _room_for(sections)]
    left_out = sections[len(shown) :]
    more = sum(len(section.items) + section.hidden for section in left_out)
    tail = [f"and {more} more {_plural(more, 'failure')} of {len(left_out)} more rules"] if left_out else []
    return Message(
        title=_title(headline, entries),
        facts=_facts(headline, entries),
        sections=shown,
        notes=(*tail, *(one_line(note) for note in notes)),
    )


def blocks(message: Message) -> list[Block]:
    """Render the message as Slack blocks, escaped so that no text of a container can ping, link or format."""
    header = {"type": "header", "text": {"type": "plain_text", "text": escaped(message.title, _HEADER_MAX)}}
    sections = [{"type": "section", "text": _mrkdwn(_section_text(section))} for section in message.sections]
    notes = [_context(message.notes)] if message.notes else []
    return [header, _context(message.facts), *sections, *notes]


def plain(message: Message) -> str:
    """Render the message as plain text, for a terminal."""
    lines = [message.title, " · ".join(message.facts)]
    for section in message.sections:
        lines += ["", f"{section.rule}  {section.must}"]
        for item in section.items:
            lines += [f"  {'✓' if item.is_well else '-'} {item.check}"]
            lines += [f"    {text}" for text in (item.evidence, item.status) if text]
        lines += [f"  - and {section.hidden} more {_plural(section.hidden, 'check')}"] if section.hidden else []
    return "\n".join([*lines, *([""] if message.notes else []), *message.notes])


def fallback_text(message: Message) -> str:
    """Render the message as Slack's top-level `text`: plain text, escaped and cut."""
    return escaped(plain(message), _TEXT_MAX)


def _title(headline: Headline, entries: Sequence[Entry]) -> str:
    failing, well = counts(entries)
    verdict = "RECOVERED" if well and not failing else one_line(headline.verdict)
    return f"{verdict}: {one_line(headline.target)}"


def _facts(headline: Headline, entries: Sequence[Entry]) -> tuple[str, ...]:
    failing, well = counts(entries)
    new = [f"{failing} {'' if well else 'new '}{_plural(failing, 'failure')}"] if failing else []
    recovered = [f"{well} recovered"] if well else []
    when = [moment(headline.at)] if headline.at else []
    took = [f"took {headline.duration_s:.0f} s"] if headline.duration_s is not None else []
    report = [f"report: {one_line(headline.report)}"] if headline.report else []
    return (*new, *recovered, f"profile {one_line(headline.profile)}", *when, *took, *report)


def _sections(entries: Sequence[Entry]) -> tuple[Section, ...]:
    order = {rule: place for place, rule in enumerate(dict.fromkeys(one.alert.rule for one in entries))}
    urgent = {one.alert.rule for one in entries if one.alert.severity == "critical"}
    ranked = sorted(entries, key=lambda one: (one.alert.rule not in urgent, order[one.alert.rule]))
    return tuple(_section(rule, tuple(group)) for rule, group in groupby(ranked, key=lambda one: one.alert.rule))


def _section(rule: str, entries: Sequence[Entry]) -> Section:
    return Section(
        rule=_cut(one_line(rule), _NAME_MAX),
        must=_cut(one_line(entries[0].alert.must), _EVIDENCE_MAX),
        items=tuple(_item(one) for one in entries[:_CHECKS_MAX]),
        hidden=len(entries[_CHECKS_MAX:]),
    )


def _item(one: Entry) -> Item:
    named = {**({"variant": one.alert.variant} if one.alert.variant else {}), **one.alert.row}
    row = ", ".join(f"{name}={value}" for name, value in named.items())
    return Item(
        check=_cut(one_line(f"{one.alert.check} ({row})" if row else one.alert.check), _NAME_MAX),
        evidence=_cut(one_line(one.alert.evidence), _EVIDENCE_MAX),
        status=_cut(one_line(one.status), _NAME_MAX),
        is_well=one.is_well,
    )


def _room_for(sections: Sequence[Section]) -> int:
    used = 0
    for place, section in enumerate(sections[: _BLOCKS_MAX - _FRAME_BLOCKS]):
        used += len(_section_text(section))
        if used > _ALL_MAX - _HEADER_MAX - 2 * _CONTEXT_MAX:
            return place
    return min(len(sections), _BLOCKS_MAX - _FRAME_BLOCKS)


def _section_text(section: Section) -> str:
    lines = [f"*{escaped(section.rule)}*  {escaped(section.must)}"]
    left = _SECTION_MAX - len(lines[0]) - len("\n• and 1000 more checks")
    shown = 0
    for item in section.items:
        told = _item_text(item)
        left -= len(told) + 1
        if left < 0:
            break
        lines.append(told)
        shown += 1
    hidden = section.hidden + len(section.items) - shown
    return "\n".join([*lines, *([f"• and {hidden} more {_plural(hidden, 'check')}"] if hidden else [])])


def _item_text(item: Item) -> str:
    struck = "~" if item.is_well else ""
    evidence = f"\n   {_code(item.evidence)}" if item.evidence else ""
    return f"• {struck}{_code(item.check)}{struck}{evidence}" + (f"\n   {escaped(item.status)}" if item.status else "")


def _context(texts: Sequence[str]) -> Block:
    return {"type": "context", "elements": [_mrkdwn(escaped(" · ".join(texts), _CONTEXT_MAX))]}


def _mrkdwn(text: str) -> Block:
    # Verbatim: Slack makes no links, channels or mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _code(text: str) -> str:
    return f"`{escaped(text.replace('`', chr(39)))}`"


def one_line(text: str) -> str:
    """Take out what a terminal would obey: escape sequences, newlines and lone surrogates of a container."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_READ_MAX]).split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escaped(text: str, limit: int | None = None) -> str:
    """Escape what Slack reads as markup, and cut to a limit."""
    signs = [_ESCAPES.get(sign, sign) for sign in text]
    if limit is None or sum(map(len, signs)) <= limit:
        return "".join(signs)
    while sum(map(len, signs)) >= limit:  # an entity is dropped whole, never cut in two
        signs = signs[: len(signs) - max(1, (sum(map(len, signs)) - limit) // 5)]
    return "".join(signs) + "…"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
