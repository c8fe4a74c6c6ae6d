"""Text from outside made fit to be read: nothing in it steers a terminal, a page or the direction of reading."""

from __future__ import annotations

import re

# C0 and C1 controls but for tab and line feed, halves of surrogate pairs, what no XML may hold, and what turns the
# direction of reading or takes no room.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def legible(text: str) -> str:
    """Return a text with all that cannot be seen written as an escape."""
    return _UNSEEN.sub(_escape, text.replace("\r\n", "\n"))


def clipped(text: str, most: int) -> str:
    """Return a text of at most so many characters, and say how many more there are."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most:,} more characters)"


def one_line(text: str, most: int) -> str:
    """Return a text as one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"  # noqa: PLR2004 - what two digits can say
