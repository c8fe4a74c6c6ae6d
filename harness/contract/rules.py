"""The rules of the wire contract: id, MUST sentence, the suites that check it and the dimensions of a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Suite = Literal["contract", "dq", "chaos", "load"]
SUITES: tuple[Suite, ...] = ("contract", "dq", "chaos", "load")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One promise of the container; `dimensions` are those that a refusal under it may name."""

    id: str
    sentence: str
    suites: tuple[Suite, ...]
    dimensions: tuple[str, ...] = ()


def _rule(rule_id: str, suites: str, sentence: str, dimensions: str = "") -> Rule:
    named = tuple(suite for suite in SUITES if suite in suites.split())
    return Rule(id=rule_id, sentence=sentence, suites=named, dimensions=tuple(dimensions.split()))


_ALL = (
    _rule(
        "C1",
        "contract",
        "The image MUST start with `serve` and with no argument, as root and as any other user, "
        "and with a read-only root file system and a writable /tmp.",
    ),
    _rule("C2", "contract", "It MUST listen on 0.0.0.0, on the port that its environment names, 8080 by default."),
    _rule(
        "C3",
        "contract chaos load",
        "GET /ping MUST be 200 only while an invocation can be answered, 503 otherwise, and answer within 2 s, "
        "under full load too.",
    ),
    _rule("C4", "contract chaos", "It MUST be ready within 60 s of its start."),
    _rule("C5", "contract", "POST /invocations MUST take JSON and CSV, and answer 415 to any other type or none."),
    _rule("C6", "contract", "An Accept header that allows JSON MUST get JSON; one that excludes it MUST get 406."),
    _rule("C7", "contract", "An unknown path MUST get 404, a wrong method 405 with Allow."),
    _rule("C8", "contract", "A body over 1 MiB MUST get 413; a chunked body is read or gets 411."),
    _rule("C9", "contract", "A body that is not what its type says MUST get 400."),
    _rule(
        "C10",
        "contract dq",
        "Every non-2xx answer MUST be the JSON error object and give away no traceback, path or library name.",
    ),
    _rule("C11", "contract dq", "X-Request-Id MUST be echoed, or made up where there is none."),
    _rule(
        "C12",
        "chaos",
        "On SIGTERM it MUST answer what is in flight, refuse new connections and exit with 0 within 30 s.",
    ),
    _rule(
        "C13",
        "contract chaos load",
        "What would come later than 1 s MUST be a 503 with Retry-After, as is overload; never a hang.",
    ),
    _rule("C14", "chaos", "A slow, half-open, aborted or oversized client MUST NOT block or kill others."),
    _rule("C15", "chaos", "Memory and open files MUST NOT grow with the number of requests."),
    _rule("C16", "contract chaos load", "Connections MUST be accepted within 250 ms while it runs."),
    _rule(
        "C17",
        "chaos",
        "After a kill, running out of memory, a pause or a cut network it MUST serve the same answers again "
        "within 60 s of a plain start.",
    ),
    _rule("C18", "contract dq chaos load", "It MUST NOT exit unless it is told to."),
    _rule("R1", "contract dq", "A good window MUST NOT be refused."),
    _rule("D1", "dq", "A record that lacks a field MUST be refused.", "accuracy"),
    _rule("D2", "dq", "A value of the wrong type or format MUST be refused.", "accuracy consistency"),
    _rule("D3", "dq", "Prices and counts that cannot be MUST be refused.", "accuracy"),
    _rule("D4", "dq", "A null or an empty cell MUST be refused.", "completeness accuracy"),
    _rule("D5", "dq", "A window of other than 60 records MUST be refused.", "completeness relevancy"),
    _rule("D6", "dq", "A missing, repeated or overlapping second MUST be refused.", "completeness consistency"),
    _rule("D7", "dq", "Records that are not oldest first MUST be refused.", "consistency completeness"),
    _rule("D8", "dq", "Times that contradict each other within a record MUST be refused.", "consistency"),
    _rule("D9", "dq", "A window whose newest record ended over 60 s ago MUST be refused.", "timeliness"),
    _rule("D10", "dq", "A record that ends more than 2 s in the future MUST be refused.", "timeliness"),
    _rule("D11", "dq", "A price outside the plausible range MUST be refused.", "relevancy accuracy"),
    _rule("P0", "contract dq", "A 200 MUST have the promised shape, and `as_of` be the newest record's end as sent."),
    _rule("P1", "contract dq", "`prediction` MUST be a finite positive number."),
    _rule("P2", "contract dq chaos", "The same window MUST get the same prediction."),
    _rule("P3", "dq", "On quiet windows the prediction MUST lie within 1 % of the last close, at any price level."),
    _rule("P4", "dq", "Over a series its error MUST be no worse than 1.5 times that of persistence."),
    _rule(
        "P5",
        "dq",
        "A jump of over 5 % MUST be answered, flagged, and predicted within 5 % of the last close; "
        "a quiet window MUST have no anomalies.",
    ),
    _rule("P6", "contract chaos", "Nothing of one request MAY show in another's answer."),
    _rule("P7", "load", "p99 of valid requests MUST be within 1 s at the profile's rate, without errors."),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}
