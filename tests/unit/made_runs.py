"""Runs made by hand: the folders that a report is made of, one for each way in which a run can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.contract.difference import Change
from harness.contract.judge import Violation
from harness.contract.rules import RULES, SUITES, Suite
from harness.experiment.record import write
from harness.report.results import CheckResult, Evidence, Outcome
from harness.report.verdict import Conclusion, Setting, Subject, unknown_json, write_verdict
from tests.unit.test_experiment_judge import DOWN, GOOD, UP, UP_AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = "registry.example:5000/team/price:1.5"
STARTED = "2026-11-25T02:04:45+00:00"
SEEN = Violation(rule="D4", expected="status 422 to record 29: volume_traded is null", actual="200 '{...}'")
MISSED = Evidence(
    violations=(SEEN, Violation(rule="C10", expected="an error object", actual="200")),
    again="curl -isS -X POST http://127.0.0.1:1/invocations --data-binary @failures/0123456789ab.body",
    bodies=("failures/0123456789ab.body",),
    log="container brave of 'price:1.5' is running, exit code 0; last log lines:\nlistening",
    says="record 29: volume_traded is null",
    changes=(Change(field="volume_traded", records="29", good="0.5", sent="null"),),
)
# What a container can send and log, and what would act if it were not made harmless.
HOSTILE = (
    '"><script>document.title="taken"</script><img src=x onerror=alert(1)></pre></textarea></style>'
    "<!-- ]]> &amp; {{ 7 * 7 }} {% raw %}\x00\x1b[2J\u202egnp.exe\ud800\n::error::taken\n</details><b>`|</b>"
)


def check(outcome: Outcome, *rules: str, suite: Suite = "contract", name: str = "", **fields: Any) -> CheckResult:  # noqa: ANN401 - any field
    made = {"message": "" if outcome == "passed" else "why", "promise": "It MUST be so.", "duration_s": 0.5}
    name = name or f"{suite}/test_it.py::test_{outcome}[{'-'.join(rules)}]"
    return CheckResult(check=name, suite=suite, rules=rules, outcome=outcome, **{**made, **fields})


def conclusion(*results: CheckResult, **fields: Any) -> Conclusion:  # noqa: ANN401 - any field
    made: dict[str, Any] = {
        "subject": Subject(image_name=IMAGE, image_id="sha256:0123", profile_name="p", profile_sha256="abc"),
        "setting": Setting(seed=1, effort="normal", rules=(), harness="0.1"),
        "started": STARTED,
        "duration_s": 91.0,
        "asked": tuple(suite for suite in SUITES if any(result.suite == suite for result in results)),
        "waived": {},
    }
    return Conclusion(results=results, **{**made, **fields})


def every_check() -> Iterator[CheckResult]:
    """Yield a check that passed for each rule and each suite that speaks of it."""
    for rule in RULES.values():
        for suite in rule.suites:
            yield check("passed", rule.id, suite=suite)


def passed(folder: Path) -> Path:
    experiment(folder, broken=False)
    return _written(folder, conclusion(*every_check()))


def failed(folder: Path) -> Path:
    """Fail in each way: a window taken, an answer that never came, a fault not survived, and what we could not tell."""
    experiment(folder, broken=True)
    results = [
        *every_check(),
        check("failed", "D4", suite="dq", name="dq/a.py::test_breach[D4]", violated=("D4", "C10"), evidence=MISSED),
        check("failed", "C13", name="contract/b.py::test_hang", message="POST /invocations: timed out after 15 s"),
        check("failed", "C12", suite="chaos", name="chaos/c.py::test_exit[stop]", message="C12: exit code 143"),
        check("failed", name="contract/d.py::test_of_no_rule", message="neither here nor there"),
        check("error", "C4", name="contract/e.py::test_ours", message="OSError: the disk is full"),
        check("skipped", "C17", suite="chaos", name="chaos/f.py::test_it[worker]", message="Skipped: needs root"),
    ]
    return _written(folder, conclusion(*results))


def unknown(folder: Path) -> Path:
    write_verdict(unknown_json("the run ended with status 137 before it came to a verdict"), folder)
    return folder


def waived(folder: Path) -> Path:
    evidence = Evidence(violations=(Violation(rule="C7", expected="405", actual="404"),))
    results = (check("passed", "C3"), check("waived", "C7", message="Skipped: waived: C7", evidence=evidence))
    return _written(folder, conclusion(*results, waived={"C7": "the load balancer in front answers 405 itself"}))


def cut_short(folder: Path) -> Path:
    return _written(folder, conclusion(check("passed", "C3"), cut_short="the run was interrupted"))


def hostile(folder: Path) -> Path:
    evidence = Evidence(
        violations=(Violation(rule="D4", expected=HOSTILE, actual=HOSTILE),),
        **dict.fromkeys(("again", "log", "says"), HOSTILE),
        bodies=("javascript:alert(1)", f"failures/{HOSTILE}"),
        changes=(Change(field=HOSTILE, records=HOSTILE, good=HOSTILE, sent=HOSTILE),),
    )
    results = (
        check("failed", "D4", suite="dq", name=f"dq/a.py::test[{HOSTILE}]", message=HOSTILE, evidence=evidence),
        check("failed", "C13", message=HOSTILE, promise=HOSTILE),
        check("error", "C4", message=HOSTILE),
        check("skipped", "C17", suite="chaos", message=HOSTILE),
    )
    experiment(folder, broken=True, log=HOSTILE)
    subject = Subject(image_name=HOSTILE, image_id=HOSTILE, profile_name=HOSTILE, profile_sha256=HOSTILE)
    return _written(folder, conclusion(*results, subject=subject, waived={"C7": HOSTILE}, cut_short=HOSTILE))


def huge(folder: Path, checks: int = 700) -> Path:
    """Fail in as many checks, each in its own long words, for every rule."""
    long = "<&> what a container can say, again and again\n" * 200
    names = list(RULES)
    results = [
        check(
            "failed",
            *(names[(number + step) % len(names)] for step in range(3)),
            name=f"contract/test_long.py::test_{number}[{'x' * 150}]",
            message=f"{number} {long}",
            evidence=replace(MISSED, log=f"{number}\n{long}", again=f"curl {long}", violations=()),
        )
        for number in range(checks)
    ]
    return _written(folder, conclusion(*results))


def experiment(folder: Path, *, broken: bool, log: str = DOWN.log) -> None:
    """Leave the record of an experiment that was made in the run."""
    down = replace(DOWN, exit_code=143 if broken else 0, log=log)
    began_at = datetime.fromisoformat(STARTED).timestamp() + 30
    write(replace(GOOD, began_at=began_at, looks=(UP, down, UP_AGAIN)), folder / "chaos" / "stop.jsonl")


def _written(folder: Path, made: Conclusion) -> Path:
    made.write(folder)
    return folder
