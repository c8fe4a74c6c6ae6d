"""The page of a report as values: everything that it says, in the order in which it says it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract.rules import RULES, SUITES
from harness.contract.verdict import Verdict
from harness.report.comparison import Comparison, compare
from harness.report.failures import BrokenRule, broken_rules
from harness.report.legible import clipped
from harness.report.matrix import Group, matrix
from harness.report.reasons import Reason, reasons
from harness.report.times import moment, span
from harness.report.waivers import Waiver, waivers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.audits import AuditSection
    from harness.report.experiments import Experiment
    from harness.report.measurement import Measurement
    from harness.report.results import CheckResult

_SLOWEST, _NAMED = 10, 12
_HEADLINES = {
    Verdict.PASSED: "may be promoted",
    Verdict.FAILED: "must not be promoted",
    Verdict.UNKNOWN: "must not be promoted: whether it keeps its promises is not known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteLine:
    """What one suite came to; durations in seconds."""

    name: str
    passed: int
    failed: int
    errors: int
    skipped: int
    duration_s: float

    @property
    def checks(self) -> int:
        """How many checks it had."""
        return self.passed + self.failed + self.errors + self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report."""

    verdict: Verdict
    image: str
    headline: str
    why: str
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    again: str
    broken: tuple[BrokenRule, ...]
    doubts: tuple[Reason, ...]
    groups: tuple[Group, ...]
    suites: tuple[SuiteLine, ...]
    experiments: tuple[Experiment, ...]
    measurement: Measurement | None
    waivers: tuple[Waiver, ...]
    skipped: tuple[Reason, ...]
    slowest: tuple[CheckResult, ...]
    comparison: Comparison | None
    audits: tuple[AuditSection, ...] = ()


def compose(
    verdict: Mapping[str, Any],
    results: Sequence[CheckResult],
    *,
    earlier: Sequence[Mapping[str, Any]] = (),
    experiments: Sequence[Experiment] = (),
    measurement: Measurement | None = None,
    audits: Sequence[AuditSection] = (),
) -> Page:
    """Compose the page of a verdict, the results of its checks, the verdicts before it and what was recorded."""
    said = Verdict(verdict["verdict"])
    broken = broken_rules(verdict, results)
    image = verdict["image"]["name"] or "The image"
    return Page(
        verdict=said,
        image=image,
        headline=_headline(verdict, said),
        why=" ".join(_why(verdict, broken)),
        notes=tuple(_notes(verdict, results, experiments, measurement)),
        facts=tuple(_facts(verdict)),
        again=_again(verdict, broken),
        broken=broken,
        doubts=reasons(result for result in results if result.outcome == "error"),
        groups=matrix(verdict, results),
        suites=tuple(SuiteLine(name=name, **counts) for name, counts in verdict["suites"].items()),
        experiments=tuple(experiments),
        measurement=measurement,
        waivers=tuple(waivers(verdict, results)),
        skipped=reasons(result for result in results if result.outcome == "skipped"),
        slowest=tuple(sorted(results, key=lambda result: -result.duration_s)[:_SLOWEST]),
        comparison=compare(verdict, earlier),
        audits=tuple(audits),
    )


def _headline(verdict: Mapping[str, Any], said: Verdict) -> str:
    if said is Verdict.PASSED and _rules_of(verdict, "not_run"):
        return "keeps what was checked, which is not the whole contract"
    return _HEADLINES[said]


def _rules_of(verdict: Mapping[str, Any], outcome: str) -> tuple[str, ...]:
    return tuple(rule_id for rule_id, entry in verdict["rules"].items() if entry["outcome"] == outcome)


def _why(verdict: Mapping[str, Any], broken: Sequence[BrokenRule]) -> Iterator[str]:
    kept, unknown = _rules_of(verdict, "passed"), _rules_of(verdict, "unknown")
    checks = sum(suite[kind] for suite in verdict["suites"].values() for kind in ("passed", "failed", "errors"))
    if failed := _rules_of(verdict, "failed"):
        of = len(kept) + len(unknown) + len(failed)
        yield f"It broke {_counted(len(failed), 'rule')} of the {of} that were checked."
    elif broken:
        yield "A check failed that speaks for no rule."
    elif verdict["verdict"] == Verdict.PASSED:
        yield f"{_counted(len(kept), 'rule')}, {_counted(checks, 'check')}: every one holds."
    elif kept:
        yield f"{_counted(len(kept), 'rule')} held."
    if unknown:
        yield f"Not known: {', '.join(unknown)}."
    if "reason" in verdict:
        yield clipped(f"{verdict['reason'][:1].upper()}{verdict['reason'][1:]}.", 600)


def _notes(
    verdict: Mapping[str, Any],
    results: Sequence[CheckResult],
    experiments: Sequence[Experiment],
    measurement: Measurement | None,
) -> Iterator[str]:
    """Yield what whoever reads no further should know besides."""
    if idle := [suite for suite in SUITES if suite not in verdict["suites"]]:
        yield f"Suites not run: {', '.join(idle)}."
    if unchecked := _rules_of(verdict, "not_run"):
        named = ", ".join(unchecked) if len(unchecked) <= _NAMED else _counted(len(unchecked), "rule")
        yield f"Not checked: {named}."
    if waived := _rules_of(verdict, "waived"):
        yield f"Waived by the profile: {', '.join(waived)}."
    if skipped := sum(result.outcome == "skipped" for result in results):
        yield f"{_counted(skipped, 'check')} skipped."
    if measurement is not None:
        p99_ms = dict(measurement.latencies)["p99"]
        told = f"p99 {p99_ms:.0f} ms at {measurement.rate_per_s:g} requests/s"
        yield f"{told}, of what was answered with 200; the budget is {measurement.budget_s:g} s."
    if recovered := [one for one in experiments if one.recovered_after_s is not None]:
        slowest = max(recovered, key=lambda one: one.recovered_after_s or 0.0)
        after = slowest.name.replace("_", " ")
        yield f"Slowest recovery: {slowest.recovered_after_s:.1f} s of {slowest.granted_s:g} s, after {after}."


def _facts(verdict: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    setting = verdict.get("setting") or {}
    yield "Image", verdict["image"]["name"] or "not known"
    yield "Image id", verdict["image"].get("id") or "none: an endpoint, or nothing was started"
    yield "Profile", f"{verdict['profile']['name'] or 'not known'}, SHA-256 {(verdict['profile']['sha256'] or '')[:12]}"
    yield "Started", moment(verdict["started"])
    yield "Took", span(verdict["duration_s"])
    if setting:
        rules = ", ".join(setting["rules"])
        yield "Set-up", f"seed {setting['seed']}, effort {setting['effort']}{f', only {rules}' if rules else ''}"
        yield "Harness", setting["harness"]


def _again(verdict: Mapping[str, Any], broken: Sequence[BrokenRule]) -> str:
    """Return the command that asks the same questions again: of a failed run those for the rules that it broke."""
    name, setting = verdict["image"]["name"], verdict.get("setting") or {}
    if not name:
        return ""
    asked = f"--sut-url={name}" if "://" in name else f"--sut-image={name}"
    seed = [f"--sut-seed={setting['seed']}"] if setting else []
    rules = [rule.rule for rule in broken if rule.rule in RULES]
    if rules:
        return shlex.join(["pytest", asked, f"--sut-rules={','.join(rules)}", *seed])
    suites = [f"--suite={suite}" for suite in verdict["suites"]] if len(verdict["suites"]) < len(SUITES) else []
    return shlex.join(["harness", "gate", asked, *suites, *seed])


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
