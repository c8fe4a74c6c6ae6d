"""One message about a run: composed once within Slack's limits, rendered as blocks or as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.alerts.alert import Alert, Headline

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
class Section:
    """One failed rule: its MUST sentence, and (check, evidence) pairs; `hidden` checks are only counted."""

    rule: str
    must: str
    checks: tuple[tuple[str, str], ...]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told of a run, already cut to what one Slack message can hold."""

    title: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]


def compose(headline: Headline, alerts: Sequence[Alert], notes: Iterable[str] = ()) -> Message:
    """Compose the message that tells of these alerts; critical rules first, then in the order given."""
    sections = _sections(alerts)
    shown = sections[: _room_for(sections)]
    left_out = sections[len(shown) :]
    more = sum(len(section.checks) + section.hidden for section in left_out)
    tail = [f"and {more} more {_plural(more, 'failure')} of {len(left_out)} more rules"] if left_out else []
    return Message(
        title=f"{_one_line(headline.verdict)}: {_one_line(headline.target)}",
        facts=_facts(headline, len(alerts)),
        sections=shown,
        notes=(*tail, *(_one_line(note) for note in notes)),
    )


def blocks(message: Message) -> list[Block]:
    """Render the message as Slack blocks, escaped so that no text of a container can ping, link or format."""
    header = {"type": "header", "text": {"type": "plain_text", "text": _escaped(message.title, _HEADER_MAX)}}
    sections = [{"type": "section", "text": _mrkdwn(_section_text(section))} for section in message.sections]
    notes = [_context(message.notes)] if message.notes else []
    return [header, _context(message.facts), *sections, *notes]


def plain(message: Message) -> str:
    """Render the message as plain text, for a terminal."""
    lines = [message.title, " · ".join(message.facts)]
    for section in message.sections:
        lines += ["", f"{section.rule}  {section.must}"]
        for check, evidence in section.checks:
            lines += [f"  - {check}", *([f"    {evidence}"] if evidence else [])]
        lines += [f"  - and {section.hidden} more {_plural(section.hidden, 'check')}"] if section.hidden else []
    return "\n".join([*lines, *([""] if message.notes else []), *message.notes])


def fallback_text(message: Message) -> str:
    """Render the message as Slack's top-level `text`: plain text, escaped and cut."""
    return _escaped(plain(message), _TEXT_MAX)


def _facts(headline: Headline, told: int) -> tuple[str, ...]:
    report = [f"report: {_one_line(headline.report)}"] if headline.report else []
    new = f"{told} new {_plural(told, 'failure')}"
    return (new, f"profile {_one_line(headline.profile)}", f"took {headline.duration_s:.0f} s", *report)


def _sections(alerts: Sequence[Alert]) -> tuple[Section, ...]:
    order = {rule: place for place, rule in enumerate(dict.fromkeys(alert.rule for alert in alerts))}
    urgent = {alert.rule for alert in alerts if alert.severity == "critical"}
    ranked = sorted(alerts, key=lambda alert: (alert.rule not in urgent, order[alert.rule]))
    return tuple(_section(rule, tuple(group)) for rule, group in groupby(ranked, key=lambda alert: alert.rule))


def _section(rule: str, alerts: Sequence[Alert]) -> Section:
    return Section(
        rule=_cut(_one_line(rule), _NAME_MAX),
        must=_cut(_one_line(alerts[0].must), _EVIDENCE_MAX),
        checks=tuple(
            (_cut(_one_line(alert.check), _NAME_MAX), _cut(_one_line(alert.evidence), _EVIDENCE_MAX))
            for alert in alerts[:_CHECKS_MAX]
        ),
        hidden=len(alerts[_CHECKS_MAX:]),
    )


def _room_for(sections: Sequence[Section]) -> int:
    used = 0
    for place, section in enumerate(sections[: _BLOCKS_MAX - _FRAME_BLOCKS]):
        used += len(_section_text(section))
        if used > _ALL_MAX - _HEADER_MAX - 2 * _CONTEXT_MAX:
            return place
    return min(len(sections), _BLOCKS_MAX - _FRAME_BLOCKS)


def _section_text(section: Section) -> str:
    lines = [f"*{_escaped(section.rule)}*  {_escaped(section.must)}"]
    left = _SECTION_MAX - len(lines[0]) - len("\n• and 1000 more checks")
    shown = 0
    for check, evidence in section.checks:
        told = f"• {_code(check)}" + (f"\n   {_code(evidence)}" if evidence else "")
        left -= len(told) + 1
        if left < 0:
            break
        lines.append(told)
        shown += 1
    hidden = section.hidden + len(section.checks) - shown
    return "\n".join([*lines, *([f"• and {hidden} more {_plural(hidden, 'check')}"] if hidden else [])])


def _context(texts: Sequence[str]) -> Block:
    return {"type": "context", "elements": [_mrkdwn(_escaped(" · ".join(texts), _CONTEXT_MAX))]}


def _mrkdwn(text: str) -> Block:
    # Verbatim: Slack makes no links, channels or mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _code(text: str) -> str:
    return f"`{_escaped(text.replace('`', chr(39)))}`"


def _one_line(text: str) -> str:
    # What a container said is shown in terminals too: no escape sequence, newline or lone surrogate gets through.
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_READ_MAX]).split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _escaped(text: str, limit: int | None = None) -> str:
    signs = [_ESCAPES.get(sign, sign) for sign in text]
    if limit is None or sum(map(len, signs)) <= limit:
        return "".join(signs)
    while sum(map(len, signs)) >= limit:  # an entity is dropped whole, never cut in two
        signs = signs[: len(signs) - max(1, (sum(map(len, signs)) - limit) // 5)]
    return "".join(signs) + "…"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
