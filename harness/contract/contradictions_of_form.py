"""What a profile says of its form of JSON that cannot be, and promises that no body of it could show broken."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness.contract.window_rule import OF_TIMES, TARGETS, UNNAMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.profile import Profile
    from harness.contract.window_rule import WindowRule


def contradictions_of_form(profile: Profile) -> Iterator[str]:
    """Yield all of them, one sentence each."""
    yield from _without_use(profile.window)
    yield from _of_columns(profile.window)
    yield from _of_what_is_not_sent(profile)


def _without_use(window: WindowRule) -> Iterator[str]:
    for spec in dataclasses.fields(window):
        found = getattr(window, spec.name)
        if spec.name.startswith("tensor_") and window.json != "tensor" and found != spec.default:
            yield f"`window.{spec.name}` is {found!r}: it is of `json = 'tensor'` alone, leave it out"
    if not window.tensor_name:
        yield "`window.tensor_name` must not be empty: every tensor has a name"
    if window.batch and window.json in ("records", "split"):
        yield f"`window.batch` is true, and `json = {window.json!r}` has no batch: leave it out, or name another form"
    if window.columns and window.json not in UNNAMED:
        yield f"`window.columns` is of `rows` and `tensor`: `json = {window.json!r}` names each field, leave it out"


def _of_columns(window: WindowRule) -> Iterator[str]:
    for name in window.columns:
        if name not in window.fields:
            yield f"`window.columns` holds {name!r}: name fields of `[window.fields]`, {', '.join(window.fields)}"
        elif window.json == "tensor" and window.fields[name].kind == "timestamp":
            yield f"`window.columns` holds {name!r}, a timestamp: a tensor of {window.tensor_datatype} holds numbers"
    if len(set(window.columns)) < len(window.columns):
        yield "`window.columns` holds a field twice: each has one place"


def _of_what_is_not_sent(profile: Profile) -> Iterator[str]:
    window = profile.window
    target, start, end = window.find(*TARGETS), window.find("start"), window.find("end")
    if target is None or start is None or end is None:
        return  # that they are missing is told already
    if target not in window.sent:
        yield f"`window.columns` leaves out {target!r}, which is what is predicted"
    promised = [rule_id for rule_id in OF_TIMES if rule_id not in profile.waived]
    unsent = " and ".join(repr(name) for name in (start, end) if name not in window.sent)
    if promised and unsent:
        yield f"no JSON body holds {unsent}, so that none shows a breach of {', '.join(promised)}: waive them"
    if profile.answer.as_of and end not in window.sent:
        yield f"`answer.as_of` is promised, and no JSON body holds {end!r}: make it empty"
