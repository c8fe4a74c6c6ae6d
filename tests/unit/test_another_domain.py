"""Hours of energy demand for seconds of a price: a window with one value a record, and a field that is no price."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from harness.contract.breaches import kinds_of_breaches
from harness.contract.data_rules import broken_rules
from harness.contract.good_windows import each_way
from harness.contract.judge import moves_of
from harness.contract.levels import jump_in, level_in, quiet_in, series_in
from harness.contract.profile import load_profile
from harness.contract.records import build, last_whole_second_ns, to_csv
from harness.contract.series import generate
from harness.contract.tables import ProfileInvalid
from harness.load.broken import WAYS, ways_for
from harness.system.history import read_history

FILE = Path(__file__).parents[2] / "fixtures" / "profiles" / "energy.toml"
PROFILE, DEFAULT = load_profile(FILE), load_profile()
NOW_S = 1_790_000_000.25
LEVELS = [1.05, 7.3, 250.0, 7_200.0, 30_000.0, 100_000.0, 990_000.0]
GOOD = build(PROFILE.window, series_in(PROFILE, seed=1, seconds=24), end_ns=last_whole_second_ns(NOW_S))


def test_its_windows_are_good_in_every_way_they_may_be_sent() -> None:
    assert set(GOOD.records[0]) == {"from", "to", "demand_mw", "celsius"}
    assert min(float(str(record["celsius"])) for record in GOOD.records) < 0
    for way in each_way(PROFILE.window):
        assert broken_rules(PROFILE.window, way.window(GOOD), now_s=NOW_S) == set()


@pytest.mark.parametrize("rule_id", [f"D{number}" for number in range(1, 12)])
def test_its_windows_break_in_every_way(rule_id: str) -> None:
    kinds = kinds_of_breaches(PROFILE.window)[rule_id]
    assert kinds
    for breach, _ in (sent for kind in kinds for sent in kind.always):
        assert rule_id in broken_rules(PROFILE.window, breach.of(GOOD), now_s=NOW_S), breach


def test_its_windows_break_under_load() -> None:
    assert set(ways_for(PROFILE, GOOD, now_s=NOW_S)) == set(WAYS)


@pytest.mark.parametrize("level", LEVELS)
def test_its_series_lie_in_their_usual_range_and_are_quiet(level: float) -> None:
    low, high = PROFILE.window.levels
    window = build(PROFILE.window, series_in(PROFILE, seed=5, seconds=24, level=level), end_ns=0)
    demand = [float(str(record["demand_mw"])) for record in window.records]
    assert low / (1 + PROFILE.series.cycle_share) <= min(demand) <= max(demand) <= high
    assert moves_of(window, PROFILE.window).at_most <= PROFILE.prediction.quiet_move
    assert max(demand) > 1.2 * min(demand)


@pytest.mark.parametrize("factor", [1.0527, 0.9499, 4 / 3, 2 / 3])
def test_a_jump_is_a_jump_in_any_profile(factor: float) -> None:
    found = jump_in(PROFILE.prediction, factor)
    assert 1 - min(found, 1 / found) > PROFILE.prediction.jump_move
    assert jump_in(DEFAULT.prediction, factor) == factor


@pytest.mark.parametrize("factor", [1.0095, 1 / 1.0095])
def test_what_is_quiet_is_quiet_in_any_profile(factor: float) -> None:
    found = quiet_in(PROFILE.prediction, factor)
    assert max(found, 1 / found) - 1 <= PROFILE.prediction.quiet_move
    assert quiet_in(DEFAULT.prediction, factor) == factor


def test_the_default_profiles_levels_and_series_are_those_that_the_checks_name() -> None:
    assert [level_in(DEFAULT.window, level) for level in LEVELS] == LEVELS
    assert series_in(DEFAULT, seed=3, seconds=100, level=700.0) == generate(seed=3, seconds=100, level=700.0)


def test_its_history_is_read_with_the_field_that_is_no_price(tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_bytes(to_csv(GOOD))
    read = read_history(path, PROFILE.window)
    assert build(PROFILE.window, read, end_ns=last_whole_second_ns(NOW_S)) == GOOD


def test_an_hour_that_was_not_recorded_is_carried_forward(tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    header, *rows = to_csv(GOOD).decode().splitlines()
    path.write_text("\n".join([header, *rows[:5], *rows[6:]]) + "\n", encoding="utf-8")
    read = read_history(path, PROFILE.window)
    assert len(read) == 24
    assert (read[5].close, read[5].others) == (read[4].close, read[4].others)
    assert all(before.close != after.close for before, after in pairwise(read[6:]))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("usual = [-8, 31]\n", "", "say where its values usually lie"),
        ("usual = [-8, 31]", "usual = [31, -8]", "the smaller one first"),
        ("usual = [2_000, 60_000]", "usual = [0, 60_000]", "must lie above 0"),
        ('role = "value"', 'role = "volume"', "has the role 'close' or 'value'"),
        ("cycle_periods = 24", "cycle_periods = 0", "must be above 0"),
        ("volatility = 4e-4", "volatility = 4e-2", "must be below 0.002"),
        ("silent_share = 0", "silent_share = 2", "must be a share from 0 to 1"),
    ],
)
def test_what_cannot_be_made_up_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(FILE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ProfileInvalid, match=says):
        load_profile(path)
