"""Production readiness: a checklist that is answered by what the suites measured, rule by rule."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from harness.audit.checklist import DEMANDS
from harness.audit.finding import Finding, Severity
from harness.contract.rules import SUITES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from harness.audit.checklist import Demand

State = Literal["met", "not met", "not measured"]
_SEVERITIES: dict[State, Severity] = {
    "met": Severity.INFORMS,
    "not met": Severity.BLOCKS,
    "not measured": Severity.WARNS,
}


class VerdictUnreadable(ValueError):  # noqa: N818 - named by what happened
    """A file is no verdict of the suites; the message names it and the way out."""


def read_verdict(path: Path) -> dict[str, Any]:
    """Read a verdict.json; raise `VerdictUnreadable` where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        is_one = all(isinstance(found[key], dict) for key in ("rules", "suites", "image")) and "verdict" in found
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"verdict {path}: is no verdict.json of `harness gate` ({error}): run it, or name another"
        raise VerdictUnreadable(msg) from error
    if not is_one:
        msg = f"verdict {path}: is no verdict.json of `harness gate`: run it, or name another"
        raise VerdictUnreadable(msg)
    verdict: dict[str, Any] = found
    return verdict


def readiness_findings(
    verdict: Mapping[str, Any] | None, *, url: str | None = None, names: Collection[str] = ()
) -> Iterator[Finding]:
    """Answer the checklist; without a verdict, one finding says how to get one.

    `url` is an endpoint that answered without a signature; `names` are those of what was audited, its image's id too.
    """
    if verdict is None:
        yield _unmeasured()
        return
    if names and not {verdict["image"].get("name"), verdict["image"].get("id")} & set(names):
        yield _of_another(str(verdict["image"].get("name")), names)
    for demand in DEMANDS:
        yield _row(demand, verdict["rules"])
    yield _access(url)
    yield _release(verdict)


def _unmeasured() -> Finding:
    return Finding(
        id="readiness.not_measured",
        severity=Severity.INFORMS,
        says="Whether it is ready for production was not asked: no verdict of the suites was given.",
        advice="Run `harness gate` on the image, then audit again with `--verdict DIR/verdict.json`.",
        numbers={"state": "not measured"},
    )


def _of_another(judged: str, names: Collection[str]) -> Finding:
    return Finding(
        id="readiness.of_another_image",
        severity=Severity.WARNS,
        says=f"The verdict is on {judged}, not on {' alias '.join(names)}: the checklist speaks of that one.",
        advice="Run `harness gate` on the very image that is audited.",
        numbers={"judged": judged},
    )


def _row(demand: Demand, rules: Mapping[str, Any]) -> Finding:
    outcomes = {rule: str(rules.get(rule, {}).get("outcome", "not_run")) for rule in demand.rules}
    broken = [rule for rule, outcome in outcomes.items() if outcome in ("failed", "waived")]
    unsure = [rule for rule, outcome in outcomes.items() if outcome in ("unknown", "not_run")]
    state: State = "not met" if broken else "not measured" if unsure else "met"
    telling = broken or unsure or list(demand.rules)
    shown = ", ".join(f"{rule} {outcomes[rule].replace('_', ' ')}" for rule in telling)
    is_waived = all(outcomes[rule] == "waived" for rule in broken) and bool(broken)
    return _finding(
        demand.id,
        state,
        # Somebody signed for a rule that is waived: the row is open, but it was not overlooked.
        severity=Severity.WARNS if is_waived else _SEVERITIES[state],
        says=f"{demand.what}: {state} ({shown}).",
        advice=demand.advice if state == "not met" else "Nothing to do." if state == "met" else "Run `harness gate`.",
        rule=" ".join(telling),
    )


def _access(url: str | None) -> Finding:
    """Say whether a stranger is answered; in a container nothing can be signed, what stands before it does that."""
    state: State = "not met" if url and not _is_local(url) else "not measured"
    what = "Security: who has no signature is not answered"
    return _finding(
        "security.signed_access",
        state,
        severity=_SEVERITIES[state],
        says=f"{what}: {state} ({url} answered this audit, which signs nothing)."
        if state == "not met"
        else f"{what}: {state} (a container cannot show it: what stands before it must demand signatures).",
        advice="Reach it through SageMaker's endpoint or a gateway that demands signatures; publish no port beside it.",
        rule="",
    )


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def _release(verdict: Mapping[str, Any]) -> Finding:
    """Say whether the way to production went through the gate: all suites, on an image known by its id."""
    missing = [suite for suite in SUITES if suite not in verdict["suites"]]
    image = verdict["image"].get("id")
    state: State = "not met" if verdict["verdict"] == "FAILED" else "met"
    if state == "met" and (missing or verdict["verdict"] != "PASSED" or not image):
        state = "not measured"
    lacks = f", without {', '.join(missing)}" if missing else ""
    return _finding(
        "release.through_the_gate",
        state,
        severity=_SEVERITIES[state],
        says=f"Release path: the very image that is promoted passed every suite: {state} "
        f"(verdict {verdict['verdict']} on {image or 'no image id'}{lacks}).",
        advice="Nothing to do." if state == "met" else "Push only what `harness gate` let pass, by its digest.",
        rule="verdict",
    )


def _finding(id_: str, state: State, *, severity: Severity, says: str, advice: str, rule: str) -> Finding:
    numbers = {"state": state, "rule": rule}
    return Finding(id=f"readiness.{id_}", severity=severity, says=says, advice=advice, numbers=numbers)
