"""Media types: what a request carries, and what its sender accepts."""

import re

_QUALITY = re.compile(r"[qQ]\s*=\s*((?:0(?:\.[0-9]{0,3})?)|(?:1(?:\.0{0,3})?))")
_RANGES = {"*/*": 0, "application/*": 1, "application/json": 2}


def media_type(header: str) -> str:
    """Return the type without its parameters, in lower case."""
    return header.partition(";")[0].strip().lower()


def accepts_json(header: str) -> bool:
    """Tell whether `Accept` allows application/json; the most specific range decides, and an empty header is any."""
    if not header.strip():
        return True
    best, accepted = -1, False
    for entry in header.split(","):
        rank = _RANGES.get(media_type(entry), -1)
        if rank > best or (rank == best and rank >= 0 and _quality(entry) > 0):
            best, accepted = rank, _quality(entry) > 0
    return accepted


def _quality(entry: str) -> float:
    """Return the range's weight; one that cannot be read counts as none given."""
    for parameter in entry.split(";")[1:]:
        match = _QUALITY.fullmatch(parameter.strip())
        if match:
            return float(match[1])
    return 1.0
