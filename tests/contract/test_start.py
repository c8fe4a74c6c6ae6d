"""C1 to C4, C7, P2: it starts as SageMaker starts it, and in every other way promised, and is honest while it loads."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import demand
from harness.contract.loading import judge_loading
from harness.options import CHOICE
from harness.system.container import Launch, Sut
from harness.system.starts import Start, judge_replicas, judge_start, start_together, watch, ways

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.guard import Run

pytestmark = pytest.mark.contract

# These are started side by side, and asked for the same window.
TOGETHER = ("no argument", "another user", "read-only", "another port")


@pytest.fixture(scope="module")
def starts(request: pytest.FixtureRequest, profile: Profile, fresh_window: Callable[[], Window]) -> dict[str, Start]:
    """Start the image in every way and keep what came of it; all these containers are gone when this returns."""
    if url := request.config.stash[CHOICE].url:
        pytest.skip(f"{url} is run by somebody else: how its image starts cannot be seen")
    # What does not start at all is judged there, against the time that it has when it is alone.
    shared: Sut = request.getfixturevalue("shared_sut")
    run: Run = request.getfixturevalue("sut_run")

    def make(launch: Launch) -> Sut:
        return Sut(shared.image, profile, run, launch=launch)

    sagemakers, *others = ways(profile)
    found = [watch(sagemakers, make, fresh_window), *start_together(others, make, fresh_window)]
    return {start.way.name: start for start in found}


@pytest.mark.rule("C1", "C4")
def test_it_starts_as_sagemaker_starts_it(starts: dict[str, Start], profile: Profile) -> None:
    """The image MUST start with the argument `serve`, as root, and be ready within 60 s."""
    demand(judge_start(starts["SageMaker's"], profile))


@pytest.mark.rule("C1")
@pytest.mark.parametrize("way", TOGETHER[:3])
def test_it_starts_in_every_way_promised(starts: dict[str, Start], profile: Profile, way: str) -> None:
    """The image MUST start with no argument, as any other user, and with a read-only root file system."""
    demand(judge_start(starts[way], profile))


@pytest.mark.rule("C2")
def test_it_listens_on_the_port_that_its_environment_names(starts: dict[str, Start], profile: Profile) -> None:
    """It MUST listen on 0.0.0.0, on the port that its environment names."""
    demand(judge_start(starts["another port"], profile))


@pytest.mark.rule("P2")
def test_replicas_give_the_same_prediction(starts: dict[str, Start], profile: Profile) -> None:
    """The same window MUST get the same prediction from a second replica."""
    started = [starts[way] for way in TOGETHER if way in starts]
    if len(started) <= 1:
        pytest.skip("the profile promises one way to start")
    for first, second in pairwise(started):
        demand(judge_replicas(first, second, profile))


@pytest.mark.rule("C3", "C7", "C10", "C13")
def test_it_is_honest_while_it_loads(starts: dict[str, Start], profile: Profile) -> None:
    """GET /ping MUST be 503 until an invocation can be answered, and what cannot be answered yet MUST get a 503."""
    demand(judge_loading(starts["SageMaker's"].seen, profile))
