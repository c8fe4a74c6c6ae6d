"""C18: after all of it, the container is still there."""

from __future__ import annotations

import pytest

from harness.contract.judge import Violation, demand
from harness.options import CHOICE

pytestmark = pytest.mark.contract


@pytest.mark.rule("C18")
def test_it_did_not_exit(request: pytest.FixtureRequest, sut_url: str) -> None:
    """It MUST NOT exit unless it is told to."""
    if request.config.stash[CHOICE].url:
        pytest.skip(f"{sut_url} is run by somebody else: its process cannot be seen")
    sut = request.getfixturevalue("shared_sut")
    wrong = Violation(rule="C18", expected="a container that is up", actual=sut.story())
    demand([] if sut.state().is_up else [wrong])
