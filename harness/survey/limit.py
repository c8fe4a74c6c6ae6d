"""How large a body may be: looked for by bisection, from the profile's limit on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.contract.records import content_type, encode
from harness.survey.understanding import LEVELS, window_at

if TYPE_CHECKING:
    from harness.survey.asker import Asker
    from harness.survey.findings import Findings
    from harness.system.client import Answer

_MIB = 1_048_576
_MOST_BYTES = 32 * _MIB
_TRIES = 3
_REFUSED = range(400, 500)


def look_at_limit(asker: Asker, findings: Findings) -> None:
    """Find the largest body that is read, and the status of a larger one; without any limit C8 is waived for now."""
    limit = findings.profile.http.body_limit_bytes
    above = _sent(asker, findings, limit + 1)
    if above is None:
        findings.leave_open(f"`refusals.too_large`: a body of {limit + 1:,} bytes got no answer that could be read")
    elif above.status == OK:
        _look_above(asker, findings, limit + 1)
    elif above.status in _REFUSED:
        findings.find("refusals.too_large", (above.status,), f"a body of {limit + 1:,} bytes got it")
        at = _sent(asker, findings, limit)
        if at is not None and at.status in _REFUSED:
            _settle(asker, findings, good=len(_padded(findings, 0)), bad=limit)
    else:
        findings.blame("C8", f"a body of {limit + 1:,} bytes got {above.status}")


def _look_above(asker: Asker, findings: Findings, good: int) -> None:
    while good < _MOST_BYTES:
        answer = _sent(asker, findings, 2 * good)
        if answer is None or answer.status != OK:
            _note_larger(asker, findings, good, answer)
            return
        good *= 2
    findings.waive("C8", f"for now: a body of {good // _MIB} MiB was still read")


def _note_larger(asker: Asker, findings: Findings, good: int, answer: Answer | None) -> None:
    """Note what became of a body twice as large as one that is read."""
    if answer is not None and answer.status in _REFUSED:
        findings.find("refusals.too_large", (answer.status,), f"a body of {2 * good:,} bytes got it")
        _settle(asker, findings, good=good, bad=2 * good)
    else:
        became = "no answer" if answer is None else str(answer.status)
        findings.waive("C8", f"for now: a body of {good:,} bytes was read, and one of {2 * good:,} got {became}")


def _settle(asker: Asker, findings: Findings, *, good: int, bad: int) -> None:
    """Close in on the limit: `good` bytes are read, `bad` are not."""
    while bad - good > 1:
        middle = (good + bad) // 2
        answer = _sent(asker, findings, middle)
        if answer is not None and answer.status == OK:
            good = middle
        else:
            bad = middle
    findings.find("http.body_limit_bytes", good, f"one byte more is refused: {good:,} bytes are read")


def _sent(asker: Asker, findings: Findings, size: int) -> Answer | None:
    """Send a good window in a body of a size; a server may close before it has read all, and its answer be lost."""
    rule, path = findings.profile.window, findings.profile.http.invocations_path
    for _ in range(_TRIES):
        answer = asker.ask("POST", path, body=_padded(findings, size), kind=content_type(rule, rule.codecs[0]))
        if answer is not None:
            return answer
    return None


def _padded(findings: Findings, size: int) -> bytes:
    """Make a good window's body larger: blanks within JSON, empty lines after CSV."""
    rule = findings.profile.window
    good = encode(rule, window_at(findings.profile, LEVELS[0]), rule.codecs[0])
    padding = max(size - len(good), 0)
    if rule.codecs[0] == "json":
        return good[:1] + b" " * padding + good[1:]
    end = good.rindex(b"\r\n--") if rule.csv == "multipart" else len(good)
    return good[:end] + b"\n" * padding + good[end:]
