"""One experiment a fault: run, recorded in the report's folder, judged; the checks share the judgement."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.contract.series import generate
from harness.experiment.experiment import RevertFailed
from harness.experiment.laboratory import Bench, Inapplicable, Laboratory
from harness.experiment.times import lines, write
from harness.faults import faults_of
from harness.pytest_fixtures import PROFILE, SHARED_SUT, see_first_ready
from harness.recorder import ENDED_BY
from harness.report.drawer import Drawer
from harness.system.container import Launch, Sut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.experiment.judge import Judgement
    from harness.faults.fault import Expectation, Fault
    from harness.system.guard import Run

# An experiment mostly waits: two fit beside each other where each has a core.
LANES = min(2, os.cpu_count() or 1)
TOLD: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat a check under every fault of the profile of which something is expected that it is about."""
    marker = metafunc.definition.get_closest_marker("under_faults")
    if marker is None:
        return
    profile = metafunc.config.stash[PROFILE]
    faults = faults_of(profile, generate(seed=1, seconds=profile.window.records)).values()
    about: Callable[[Expectation], bool] = marker.kwargs["about"]
    rules: Callable[[Fault], Sequence[str]] = marker.kwargs["rules"]
    chosen = [
        pytest.param(fault.name, marks=pytest.mark.rule(*rules(fault))) for fault in faults if about(fault.expects)
    ]
    metafunc.parametrize("judgement", chosen, indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the time went."""
    for line in terminalreporter.config.stash.get(TOLD, ()):
        terminalreporter.write_line(f"chaos    {line}")


@pytest.fixture(scope="session")
def faults(request: pytest.FixtureRequest, profile: Profile, series: Sequence[Second]) -> list[Fault]:
    """Make the faults that the checks of this run ask for, as the profile describes them."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    asked = {call.params.get("judgement") for call in calls if call is not None}
    return [fault for name, fault in faults_of(profile, series).items() if name in asked]


@pytest.fixture(scope="session")
def bench(
    start: Callable[[Launch | None], Sut], profile: Profile, series: Sequence[Second], report_dir: Path
) -> Iterator[Bench]:
    """Lay out what the experiments have in common; their timelines are drawn while they go on."""
    drawer = Drawer()
    yield Bench(start=start, profile=profile, series=series, folder=report_dir / "chaos", recorded=drawer.draw)
    drawer.close()


@pytest.fixture(scope="session")
def start(
    request: pytest.FixtureRequest, sut_image: str, profile: Profile, sut_run: Run
) -> Iterator[Callable[[Launch | None], Sut]]:
    """Start containers, once it was seen that the image serves; where no other suite saw it, the first one shows it."""
    served: list[Sut] = []
    if request.config.stash.get(SHARED_SUT, None) is None:
        served.append(Sut(sut_image, profile, sut_run))
        see_first_ready(served[0], request.session)

    def started(launch: Launch | None) -> Sut:
        is_plain = launch is None and served
        return served.pop() if is_plain else Sut(sut_image, profile, sut_run, launch=launch).start()

    yield started
    for sut in served:
        sut.remove()


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest, bench: Bench, faults: list[Fault]) -> Iterator[Laboratory]:
    """Run the experiments while the checks wait for their judgements."""
    made = Laboratory(bench, faults, lanes=LANES)
    yield made
    made.close()
    if made.times:
        write(made.times, bench.folder, wall_s=made.wall_s, lanes=made.lanes)
        request.config.stash[TOLD] = list(lines(made.times, wall_s=made.wall_s, lanes=made.lanes))


@pytest.fixture(scope="module")
def judgement(request: pytest.FixtureRequest, laboratory: Laboratory) -> Judgement:
    """Wait for the judgement of the one experiment with a fault; where that was not reverted, the run ends here."""
    try:
        return laboratory.judgement(request.param)
    except Inapplicable as why_not:
        pytest.skip(str(why_not))
    except RevertFailed as error:
        request.config.stash[ENDED_BY] = request.session.shouldstop = str(error)
        raise
