"""Times in one form, second after second, as a careful client sends them: read as text, 240 of them at once.

Texts of one form and one length compare as the times do that they name. What is found to be good here is good; whatever
else is not judged here, and has to be read time by time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import le

SECOND_NS = 1_000_000_000
RECORDS = 60
_SECOND_END = len("YYYY-MM-DDThh:mm:ss")
_MINUTE_END = len("YYYY-MM-DDThh:mm:")
_SECONDS = tuple(f"{second:02d}" for second in range(60))
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all times are UTC, and none is shown
_FRACTION_DIGITS = 9
_DIGITS_TO_0 = bytes.maketrans(b"0123456789", b"0" * 10)
_FORMS = [b"0000-00-00T00:00:00" + fraction for fraction in (b"Z", *(b"." + b"0" * n + b"Z" for n in range(1, 10)))]
_SHEETS = {len(form): form * (4 * RECORDS) for form in _FORMS}


def newest_end_ns(
    starts: Sequence[str], ends: Sequence[str], opens: Sequence[str], closes: Sequence[str]
) -> int | None:
    """Return when the last of RECORDS good seconds ends, in nanoseconds since 1970; None where that is not clear."""
    try:
        sheet = "".join([*starts, *ends, *opens, *closes]).encode("ascii")
        if sheet.translate(_DIGITS_TO_0) != _SHEETS.get(len(starts[0])):
            return None
        seconds, newest_ns = _count_up(starts[0])
    except (TypeError, ValueError, OverflowError):  # No text; not ASCII, no such minute; the year 9999 ends.
        return None
    # Each start and end is compared with the one that must stand there, so no text is longer at its neighbour's cost.
    is_even = [*starts, ends[-1]] == seconds and [*ends] == seconds[1:] and _lie_inside(seconds, opens, closes)
    return newest_ns if is_even else None


def _count_up(first: str) -> tuple[list[str], int]:
    """Return the RECORDS + 1 texts of the seconds from `first` on, in its form, and when the last of them begins."""
    minute, second, rest = datetime.fromisoformat(first[:16]), int(first[17:19]), first[_SECOND_END:]
    this, following = first[:_MINUTE_END], f"{minute + _MINUTE:%Y-%m-%dT%H:%M:}"
    texts = [this + text + rest for text in _SECONDS[second:]]
    texts += [following + text + rest for text in _SECONDS[: second + 1]]
    whole_s = (minute - _EPOCH) // timedelta(seconds=1) + second + RECORDS
    return texts, whole_s * SECOND_NS + int(rest[1:-1].ljust(_FRACTION_DIGITS, "0"))


def _lie_inside(seconds: Sequence[str], opens: Sequence[str], closes: Sequence[str]) -> bool:
    """Tell whether each record opens and closes in its own second, in that order."""
    if not (all(map(le, seconds, opens)) and all(map(le, opens, closes)) and all(map(le, closes, seconds[1:]))):
        return False
    # Between two seconds of one minute every text names a time; from :59 to :00 there would be :60 too.
    at = len(_SECONDS) - 1 - int(seconds[0][_MINUTE_END:_SECOND_END])
    known = seconds[at][:_SECOND_END], seconds[at + 1][:_SECOND_END]
    return opens[at][:_SECOND_END] in known and closes[at][:_SECOND_END] in known
