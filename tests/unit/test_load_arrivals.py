from __future__ import annotations

import itertools

import pytest

from harness.load.arrivals import Law, Part, due_times


def test_constant_arrivals_are_evenly_spaced() -> None:
    moments = list(due_times("constant", rate_per_s=20, length_s=30, seed=0))
    assert len(moments) == 600
    assert moments[599] == 599 / 20


def test_poisson_arrivals_keep_the_rate_and_the_law() -> None:
    moments = list(due_times("poisson", rate_per_s=100, length_s=200, seed=3))
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert len(moments) == pytest.approx(20_000, rel=0.03)
    assert variance == pytest.approx(mean**2, rel=0.1)  # that of an exponential


def test_a_schedule_is_the_same_for_the_same_seed() -> None:
    first, again, other = (list(due_times("poisson", rate_per_s=50, length_s=10, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("law", ["constant", "poisson"])
def test_the_parts_of_a_schedule_are_the_whole(law: Law) -> None:
    def moments(part: Part) -> list[float]:
        return list(due_times(law, rate_per_s=50, length_s=10, seed=4, part=part))

    parts = [moments(Part(index=index, of=3)) for index in range(3)]
    assert sorted(itertools.chain(*parts)) == moments(Part())
    assert max(len(part) for part in parts) - min(len(part) for part in parts) <= 1
