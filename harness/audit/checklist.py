"""What readiness for production demands, row by row, each with the rules of the contract that show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One row of the checklist: what is demanded, and the rules that show it, all of which must hold."""

    id: str
    what: str
    rules: tuple[str, ...]
    advice: str


def _demand(id_: str, what: str, rules: str, advice: str) -> Demand:
    return Demand(id=id_, what=what, rules=tuple(rules.split()), advice=advice)


DEMANDS = (
    _demand(
        "security.no_debugger",
        "Security: no debugger, console, traceback or path is shown to anybody who asks",
        "C10",
        "Switch the framework's debug mode off and serve through a production server.",
    ),
    _demand(
        "security.no_root_and_read_only",
        "Security: it runs as any user, not as root alone, and with a read-only root file system",
        "C1",
        "Write to /tmp alone, own no file by a fixed user, and name a user in the image.",
    ),
    _demand(
        "security.limits",
        "Security: bodies are limited, and slow or hostile clients harm nobody else",
        "C8 C14 C15",
        "Limit bodies before they are read, give clients deadlines, and put a server in front that has both.",
    ),
    _demand(
        "security.isolation",
        "Security: nothing of one caller's request shows in another's answer",
        "P6",
        "Keep no request in what outlives it.",
    ),
    _demand(
        "validation.body",
        "Validation: a body that is not what its type says is refused, in a shape that a program can read",
        "C5 C9 C10",
        "Parse strictly and answer 400 with the error object.",
    ),
    _demand(
        "validation.window",
        "Validation: each kind of broken window is refused, with its dimension",
        "D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11",
        "Check every record against the data rules before the model sees it.",
    ),
    _demand(
        "validation.no_false_alarm", "Validation: a good window is never refused", "R1", "Refuse what is broken alone."
    ),
    _demand(
        "budget.latency",
        "Budget: answers keep the second at the profile's rate, and what would come later is refused in time",
        "P7 C13",
        "Bound the queue: refuse at once what cannot be answered within the budget.",
    ),
    _demand(
        "budget.liveness",
        "Budget: it is ready in time, and pings and connections are answered under full load",
        "C3 C4 C16",
        "Answer pings beside the model, never behind it.",
    ),
    _demand(
        "retries.told",
        "Retry semantics: overload is 503 with Retry-After, so a client knows that and when to come again",
        "C13",
        "Send Retry-After in whole seconds.",
    ),
    _demand(
        "retries.safe",
        "Retry semantics: asking again is safe and can be traced: same window, same answer, same request id",
        "P2 C11",
        "Keep no state between requests; echo X-Request-Id.",
    ),
    _demand(
        "retries.drained",
        "Retry semantics: a stop answers what is in flight, and a killed container serves again",
        "C12 C17 C18",
        "Handle SIGTERM: stop listening, answer, exit with 0.",
    ),
    _demand(
        "model.behaves",
        "Model: finite prices near the last close at every level, jumps flagged, no worse than the limit",
        "P0 P1 P3 P4 P5",
        "Anchor the answer at the last close and bound the correction.",
    ),
)
