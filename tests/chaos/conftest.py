"""One experiment a fault: run, recorded in the report's folder, judged; the checks share the judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.verdict import Verdict
from harness.experiment.experiment import run
from harness.experiment.judge import Judgement, judge
from harness.experiment.pool import Pool
from harness.faults import FAULTS
from harness.faults.fault import Choosy, Fitted
from harness.report.timeline import draw
from harness.system.container import Sut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.fault import Fault
    from harness.system.guard import Run


@pytest.fixture(scope="session")
def faults(profile: Profile, series: Sequence[Second]) -> dict[str, Fault]:
    """Every fault, as the profile describes it."""
    return {name: make(profile, series) for name, make in FAULTS.items()}


@pytest.fixture(scope="session")
def pool(
    request: pytest.FixtureRequest, sut_image: str, profile: Profile, sut_run: Run, faults: dict[str, Fault]
) -> Iterator[Pool]:
    """Keep the containers of the experiments."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    names = {call.params.get("judgement") for call in calls if call is not None}
    chosen = [fault for name, fault in faults.items() if name in names]
    wanted = sum(fault.leaves_trace for fault in chosen if not isinstance(fault, Fitted))
    containers = Pool(lambda: Sut(sut_image, profile, sut_run).start(), wanted=wanted)
    yield containers
    containers.close()


@pytest.fixture(scope="session")
def container(pool: Pool, sut_image: str, profile: Profile, sut_run: Run) -> Callable[[Fault], Sut]:
    """Hand out the container for an experiment, where the fault applies to it; skip where it does not."""

    def handed_out(fault: Fault) -> Sut:
        if isinstance(fault, Fitted):
            sut = Sut(sut_image, profile, sut_run, launch=fault.launch(profile)).start()
        else:
            sut = pool.own() if fault.leaves_trace else pool.shared()
        why_not = fault.why_not(sut) if isinstance(fault, Choosy) else None
        if why_not is not None:
            pool.give_back(sut, is_well=True)
            pytest.skip(f"{fault.name} does not apply: {why_not}")
        return sut

    return handed_out


@pytest.fixture(scope="session")
def experiment(
    pool: Pool, container: Callable[[Fault], Sut], profile: Profile, series: Sequence[Second], report_dir: Path
) -> Callable[[Fault], Judgement]:
    """Run the experiment with a fault, judge its record and draw its timeline."""
    folder = report_dir / "chaos"

    def judged(fault: Fault) -> Judgement:
        sut = container(fault)
        found: Judgement | None = None
        try:
            record = run(fault, sut, profile, series, path=folder / f"{fault.name}.jsonl")
            found = judge(record)
            draw(record, found, folder / f"{fault.name}.png")
        finally:
            pool.give_back(sut, is_well=found is not None and found.verdict is Verdict.PASSED)
        return found

    return judged


@pytest.fixture(scope="module")
def judgement(
    request: pytest.FixtureRequest, faults: dict[str, Fault], experiment: Callable[[Fault], Judgement]
) -> Judgement:
    """Judge the one experiment with a fault, once for all checks."""
    return experiment(faults[request.param])
