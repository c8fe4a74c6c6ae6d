"""The pytest plugin: options, markers, who is to blame for a failure, and the verdict at the end."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from harness import recorder
from harness.blame import blame
from harness.contract.profile import DEFAULT_PROFILE, Profile, load_profile
from harness.contract.rules import RULES, SUITES
from harness.contract.tables import ProfileInvalid
from harness.options import CHOICE, EXAMPLES, Choice, add_options, read_choice
from harness.pytest_fixtures import *  # noqa: F403 - pytest finds fixtures by name in a plugin's module
from harness.pytest_fixtures import PROFILE, SHARED_SUT

if TYPE_CHECKING:
    from collections.abc import Generator

_MARKERS = (
    "contract: promises about routes, bodies and processes",
    "dq: promises about data quality: which windows are refused, and what is predicted for good ones",
    "chaos: promises under faults; never run against a remote endpoint",
    "load: promises under load",
    "rule(*ids): the rules of the contract that a check speaks for",
    "codec(name): a check is about this codec alone, and is skipped where the profile promises none",
    "under_faults(about, rules): repeat a check under the faults of the profile",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the choice and the profile; a wrong one ends the run with one sentence."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    choice = read_choice(config)
    try:
        profile = load_profile(choice.profile or DEFAULT_PROFILE)
    except ProfileInvalid as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[CHOICE], config.stash[PROFILE] = choice, profile
    phases = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if choice.effort != "quick" else [])]
    # A failing example is kept beside the report, and is tried first the next time.
    database = DirectoryBasedExampleDatabase(choice.report_dir / "examples") if choice.report_dir else None
    settings.register_profile(
        "harness",
        deadline=None,
        max_examples=EXAMPLES[choice.effort],
        print_blob=False,
        phases=phases,
        database=database,
    )
    settings.load_profile("harness")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(recorder.Recorder(config, choice, profile), "harness.recorder")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the controller of pytest-xdist what a worker found out about the image, and what ended its run."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and recorder.SUBJECT in session.config.stash:
        output["sut_subject"] = session.config.stash[recorder.SUBJECT]
    if output is not None and recorder.ENDED_BY in session.config.stash:
        output["sut_ended_by"] = session.config.stash[recorder.ENDED_BY]


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is tested."""
    choice, profile = config.stash[CHOICE], config.stash[PROFILE]
    return f"sut: {choice.url or choice.image or 'the reference container'}, profile: {profile.name}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each check its suite and rules as properties, and keep harm away from remote endpoints."""
    choice, profile = config.stash[CHOICE], config.stash[PROFILE]
    if choice.rules:
        others = [item for item in items if _is_check(item) and choice.rules.isdisjoint(_rules(item))]
        items[:] = [item for item in items if item not in set(others)]
        config.hook.pytest_deselected(items=others)
    for item in items:
        _describe(item)
        _excuse(item, choice, profile)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say whose failure it is, which rules it breaks, and what the container logged last."""
    report = yield
    if not report.passed:
        vars(report)[recorder.PROMISE] = _promise(item)
    if call.excinfo is not None and report.failed:
        blame(item, call.excinfo.value, report, item.config.stash[PROFILE], item.config.stash.get(SHARED_SUT, None))
        if call.when == "setup" and recorder.ENDED_BY in item.config.stash:
            # Why the run ends is said once, in words, not in code.
            report.longrepr, report.sections = str(call.excinfo.value), []
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show FAILED for what is theirs, ERROR for what is ours, in whatever phase it came to light."""
    names = {name for name, _ in getattr(report, "user_properties", ())}
    if not report.failed or recorder.SUITE not in names:
        return None
    return ("error", "E", "ERROR") if recorder.OURS in names else ("failed", "F", "FAILED")


def _promise(item: pytest.Item) -> str:
    """Return a check's own MUST sentence."""
    words = inspect.getdoc(getattr(item, "function", None)) or ""
    return " ".join(words.partition("\n\n")[0].split())


def _is_check(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in SUITES)


def _describe(item: pytest.Item) -> None:
    suite = next((name for name in SUITES if item.get_closest_marker(name)), None)
    if suite is None:
        return
    item.user_properties.append((recorder.SUITE, suite))
    for rule_id in _rules(item):
        if rule_id not in RULES:
            msg = f"{item.nodeid}: `rule({rule_id!r})` names no rule of the contract"
            raise pytest.UsageError(msg)
        item.user_properties.append((recorder.RULE, rule_id))


def _rules(item: pytest.Item) -> list[str]:
    return list(dict.fromkeys(rule_id for mark in item.iter_markers("rule") for rule_id in mark.args))


def _codec(item: pytest.Item) -> str | None:
    """Return the codec that a check is about: by its mark, or as a parameter."""
    marker = item.get_closest_marker("codec")
    if marker is not None:
        return str(marker.args[0])
    return getattr(item, "callspec", None) and item.callspec.params.get("codec")  # type: ignore[attr-defined]  # it has one


def _excuse(item: pytest.Item, choice: Choice, profile: Profile) -> None:
    if choice.url and item.get_closest_marker("chaos"):
        item.add_marker(pytest.mark.skip(reason="a remote endpoint is never harmed"))
    codec = _codec(item)
    if codec is not None and codec not in profile.window.codecs:
        item.add_marker(pytest.mark.skip(reason=f"the profile promises no {codec.upper()}"))
    rules = _rules(item)
    if rules and all(rule_id in profile.waived for rule_id in rules):
        reasons = "; ".join(f"{rule_id}: {profile.waived[rule_id]}" for rule_id in rules)
        item.user_properties.append((recorder.WAIVED, reasons))
        item.add_marker(pytest.mark.skip(reason=f"waived: {reasons}"))
