"""C15: what thousands of requests leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violation, demand
from harness.experiment.judge import Undecided
from harness.experiment.leaks import growths, leaks, watch
from harness.system.container import SutLost
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.experiment.laboratory import Laboratory
    from harness.experiment.leaks import Growth
    from harness.system.container import Sut

pytestmark = pytest.mark.chaos

# Where the interval straddles what is allowed, the requests are sent again: what an allocator keeps comes to an end.
ROUNDS = 2


@pytest.mark.rule("C15")
def test_nothing_grows_with_the_number_of_requests(
    laboratory: Laboratory, profile: Profile, series: Sequence[Second]
) -> None:
    """Memory and open files MUST NOT grow with the number of requests, valid or not."""
    with laboratory.floor.place(is_loud=True):
        sut = laboratory.pool.shared()
        sut.wait_ready()
        try:
            found = _watched(sut, profile, series)
        except OutOfReach as error:
            pytest.skip(str(error))
        except SutLost as lost:
            if sut.state().oom_killed:
                demand([Violation(rule="C15", expected="memory that does not grow", actual=str(lost))])
            raise
    demand(leaks(found))
    if any(growth.is_doubtful for growth in found):
        raise Undecided("; ".join(str(growth) for growth in found))


def _watched(sut: Sut, profile: Profile, series: Sequence[Second]) -> list[Growth]:
    """Return the last round's growths: no further round where none is in doubt, and none is a leak."""
    for left in reversed(range(ROUNDS)):
        found = growths(watch(sut, profile, series), profile)
        if not left or not any(growth.is_doubtful or growth.is_leak for growth in found):
            return found
    return []
