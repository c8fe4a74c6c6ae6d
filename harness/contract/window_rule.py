"""The window as a profile describes it: its fields and what each is for, its length, its age, how it is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from harness.contract.tables import Key, ProfileInvalid, Signed, entry

Kind = Literal["timestamp", "number", "integer"]
Role = Literal[
    "start",
    "end",
    "first_event",
    "last_event",
    "open",
    "high",
    "low",
    "close",
    "value",
    "volume",
    "count",
    "other",
]
Slot = Literal["json", "csv"]
Form = Literal["records", "split", "rows", "columns", "v2", "tensor"]
# In these a field's place tells what it is; in all others its name does.
UNNAMED: tuple[Form, ...] = ("rows", "tensor")
# What is predicted, the next one of it: the close of a candle, or the one value that a record has.
TARGETS: tuple[Role, ...] = ("close", "value")
# The rules that nothing shows where records do not tell when they begin and end.
OF_TIMES = ("D6", "D7", "D8", "D9", "D10")
_PRICES: tuple[Role, ...] = ("open", "high", "low", "close", "value")
_LEVELS = (1.0, 1_000_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One field of a record: its kind, what it is for, and the limits of its values."""

    kind: Kind = field(
        metadata={"key": Key("ISO 8601 in UTC with a Z, a number, or a whole number", "D2")},
    )
    role: Role = field(
        metadata={
            "key": Key(
                "what it is for: `start` and `end` of the record, `first_event` and `last_event` within it, `open`, "
                "`high`, `low`, `close` of a candle or the one `value`, `volume`, `count`, or `other`",
                "what windows are filled with",
            )
        },
    )
    above: Signed | None = entry(None, "its values lie above this", "D3")
    least: Signed | None = entry(None, "its values are this or more", "D3")
    plausible: tuple[Signed, ...] | None = entry(None, "least and most that can be true", "D11")
    usual: tuple[Signed, ...] | None = entry(
        None, "least and most that windows are made with; without it, the plausible ones", "P3, what windows hold"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """The window: how many records of which fields, how long each, how old the newest may be, how it is written."""

    fields: dict[str, FieldRule] = field(metadata={"key": Key("the fields of a record, a table each", "D1 to D4, D11")})
    codecs: tuple[Slot, ...] = entry(("json", "csv"), "what bodies it takes; checks of others are skipped", "C5")
    key: str = entry("window", "where in a JSON body the records are", "every invocation")
    json: Form = entry(
        "records",
        "how a JSON body holds them under `key`: a list of objects; `columns` and `data`; a list of lists; "
        "an object of lists; or the Open Inference Protocol's tensors, one a field (`v2`) or one alone (`tensor`)",
        "every invocation as JSON",
    )
    columns: tuple[str, ...] = entry(
        (),
        "which fields go into `rows` or a `tensor`, in this order; empty: all into rows, all numbers into a tensor",
        "every invocation as JSON; no check breaks what is not sent",
    )
    batch: bool = entry(
        False,  # noqa: FBT003 - a default
        "whether it wants a batch, which is of one window then; `records` and `split` have none",
        "every invocation as JSON",
    )
    tensor_name: str = entry("input", "the name of the one `tensor`", "every invocation as a tensor")
    tensor_datatype: Literal["FP32", "FP64"] = entry(
        "FP64", "of what it says that it is", "every invocation as a tensor"
    )
    csv: Literal["body", "multipart"] = entry("body", "whether CSV is the body, or a file of a form", "as CSV")
    csv_field: str = entry("file", "the name of that file in the form", "every invocation as multipart CSV")
    records: int = entry(60, "so many, oldest first", "D5, D7")
    period_s: float = entry(1, "so long is the time of each", "D6, D8")
    max_age_s: float = entry(60, "so long ago may the newest have ended", "D9")
    max_ahead_s: float = entry(2, "so far in the future may it end", "D10")
    relations: tuple[str, ...] = entry((), "what never exceeds what: `low <= high`", "D3, D8")

    def named(self, *roles: Role) -> str:
        """Return the name of the field that has the first of some roles that any has."""
        name = self.find(*roles)
        if name is None:
            msg = f"no field of `[window.fields]` has the role {' or '.join(map(repr, roles))}: name one"
            raise ProfileInvalid(msg)
        return name

    def find(self, *roles: Role) -> str | None:
        """Return the name of the field that has the first of some roles that any has; None where none has one."""
        named = {rule.role: name for name, rule in reversed(self.fields.items())}
        return next((named[role] for role in roles if role in named), None)

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of the fields of some kinds, in the profile's order."""
        return tuple(name for name, rule in self.fields.items() if rule.kind in kinds)

    @property
    def sent(self) -> tuple[str, ...]:
        """The names of the fields that every body holds, in the order of lists and tensors.

        What JSON leaves out counts as not sent, though CSV may have it.
        """
        if "json" not in self.codecs or self.json not in UNNAMED:
            return tuple(self.fields)
        return self.columns or (self.of_kind("number", "integer") if self.json == "tensor" else tuple(self.fields))

    @property
    def as_sent(self) -> WindowRule:
        """The window as far as bodies tell it: nothing else of it can be found broken."""
        sent = self.sent
        if set(sent) >= set(self.fields):
            return self
        fields = {name: rule for name, rule in self.fields.items() if name in sent}
        told = (f"{lower} <= {upper}" for lower, upper in self.ordered if lower in sent and upper in sent)
        return replace(self, fields=fields, relations=tuple(told))

    @property
    def tells_time(self) -> bool:
        """Whether bodies tell when each record begins and ends."""
        sent = self.sent
        return all(self.find(role) in sent for role in ("start", "end"))

    @property
    def target(self) -> str:
        """The name of the field whose next value is predicted."""
        return self.named(*TARGETS)

    @property
    def prices(self) -> tuple[str, ...]:
        """The names of the fields that carry a price, or whatever the target is of: they rise and fall together."""
        return tuple(name for role in _PRICES if (name := self.find(role)) is not None)

    @property
    def levels(self) -> tuple[float, float]:
        """The least and the largest level at which the target usually lies."""
        target = self.fields[self.target]
        low, high = target.usual or target.plausible or _LEVELS
        return low, high

    @property
    def ordered(self) -> tuple[tuple[str, str], ...]:
        """The relations as pairs of field names: the first is never greater than the second."""
        return _pairs(self.relations, tuple(self.fields))


@lru_cache(maxsize=16)  # asked for with every record
def _pairs(relations: tuple[str, ...], names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(_pair(relation, names) for relation in relations)


def _pair(relation: str, names: tuple[str, ...]) -> tuple[str, str]:
    lower, sign, upper = relation.partition("<=")
    pair = lower.strip(), upper.strip()
    if not sign or any(name not in names for name in pair):
        msg = f"`relations` in `[window]` holds {relation!r}: write it as `field <= field`, both from `[window.fields]`"
        raise ProfileInvalid(msg)
    return pair
