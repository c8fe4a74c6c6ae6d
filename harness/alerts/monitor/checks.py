"""What the monitor checks: each by a name that never changes, with its rule and the sentence that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.rules import RULES

if TYPE_CHECKING:
    from harness.alerts.alert import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look at; `rule` is one of the contract's, or names the dimension of data that it is about."""

    name: str
    rule: str
    must: str
    severity: Severity = "critical"


PING = Check(name="ping answers", rule="C3", must="GET /ping MUST answer 200.")
PING_QUICK = Check(
    name="ping is quick", rule="C3", must="GET /ping MUST answer within the profile's time.", severity="warning"
)
PING_STEADY = Check(name="ping is steady", rule="C3", must="GET /ping MUST NOT fail now and then.", severity="warning")
INVOCATION = Check(name="invocation is served", rule="R1", must=RULES["R1"].sentence)
INVOCATION_QUICK = Check(
    name="invocation is quick", rule="C13", must="The answer MUST come within the budget.", severity="warning"
)
RUNS = Check(name="container runs", rule="C18", must=RULES["C18"].sentence)
MEMORY = Check(name="container has memory", rule="C18", must="It MUST NOT run out of memory.")
STAYS_UP = Check(
    name="container stays up",
    rule="C18",
    must="It MUST NOT be started again behind everybody's back.",
    severity="warning",
)

FEED = Check(name="feed can be read", rule="timeliness", must="The feed MUST give its records when asked.")
PAST = Check(
    name="feed agrees with its past", rule="consistency", must="A second that the feed gave once MUST NOT change."
)
SECOND = Check(
    name="feed agrees with the second source",
    rule="consistency",
    must="For the same second the two sources MUST give the same close, within the profile's tolerance.",
)
_FEED_RULES = {
    "D1": "Every record of the feed MUST have every field (accuracy).",
    "D2": "Every value of the feed MUST have its type and format (accuracy, consistency).",
    "D3": "Prices and counts of the feed MUST be possible, and high and low enclose the others (accuracy).",
    "D4": "No value of the feed MAY be missing (completeness).",
    "D5": "The feed MUST give as many records as a window has (completeness, relevancy).",
    "D6": "No second of the feed MAY be missing, overlap or come twice (completeness).",
    "D7": "The feed MUST give its records oldest first (consistency).",
    "D8": "Times within a record of the feed MUST agree with each other (consistency).",
    "D9": "The newest record of the feed MUST be fresh (timeliness).",
    "D10": "No record of the feed MAY lie in the future (timeliness).",
    "D11": "Prices of the feed MUST be plausible (relevancy).",
}
FEED_RULES = {rule: Check(name=f"feed keeps {rule}", rule=rule, must=must) for rule, must in _FEED_RULES.items()}

FEED_UP, FEED_DOWN = (
    Check(
        name=f"feed does not jump {way}",
        rule="jump",
        must=f"The price MUST NOT jump {way} within a second, beyond a fixed band and all that it did before.",
    )
    for way in ("up", "down")
)
FEED_UNSEEN = Check(
    name="feed reference is fresh",
    rule="jump",
    must="The price MUST NOT be far from the one seen last, however long ago that was.",
    severity="warning",
)
PREDICTION_UP, PREDICTION_DOWN = (
    Check(
        name=f"prediction does not jump {way}",
        rule="P3",
        must=f"A prediction MUST NOT jump {way} from the last close, beyond a fixed band and all that prices did.",
    )
    for way in ("up", "down")
)
PREDICTION_FRESH = Check(
    name="prediction is of now", rule="P3", must="A prediction MUST follow the last close, and no price of long ago."
)
PREDICTION_SAME = Check(name="prediction repeats itself", rule="P2", must=RULES["P2"].sentence)
SKILL = Check(name="prediction has skill", rule="P4", must=RULES["P4"].sentence)
