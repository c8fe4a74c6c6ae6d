"""A profile is read whole or refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.profile import DEFAULT_PROFILE, Alerts, Monitor, Release, load_profile
from harness.contract.tables import ProfileInvalid

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = {
    "a typo": ("budget_s = 1", "budgt_s = 1", "did you mean `budget_s`?"),
    "a unit in a string": ("ready_s = 60", 'ready_s = "60s"', "`container.ready_s` must be a number"),
    "a negative time": ("stop_s = 30", "stop_s = -1", "0 or more"),
    "a fraction for a whole number": ("port = 8080", "port = 80.5", "`container.port` must be a whole number"),
    "an unknown kind": ('kind = "integer"', 'kind = "int"', "must be one of"),
    "a relation to nowhere": ("price_low <= price_open", "price_low <= opening", "both from `[window.fields]`"),
    "a waiver of no rule": ("[waived]", '[waived]\nC99 = "why"', "is no rule"),
    "a waiver without a reason": ("[waived]", '[waived]\nC7 = " "', "has no reason"),
    "another schema": ("schema = 1", "schema = 2", "reads no other version"),
    "a share over 1": ("csv_share = 0.5", "csv_share = 50", "must be a share from 0 to 1"),
    "a load of broken requests alone": ("broken_share = 0.05", "broken_share = 1", "must be a share from 0 to 0.9"),
    "no load at all": ("rate_per_s = 20\nduration_s", "rate_per_s = 0\nduration_s", "must be above 0"),
    "no TOML": ("schema = 1", "schema = = 1", "is not TOML"),
    "no row keys": ('["target", "rule", "check"]', "[]", "name what makes two alerts the same"),
    "a measured row key": (
        '["target", "rule", "check"]',
        '["target", "price_close"]',
        "'price_close', which is measured",
    ),
    "a moment as row key": ('["target", "rule", "check"]', '["time_period_start"]', "never when or how much"),
    "a typo in a row key": ('["target", "rule", "check"]', '["tagret", "rule"]', "did you mean 'target'?"),
    "a row key that is no name": ('["target", "rule", "check"]', '["user id"]', "name a column of the records"),
    "a monitor that never runs": ("execution_frequency_minutes = 5", "execution_frequency_minutes = 0", "more than 0"),
    "a release without a doubt": ("alpha = 0.05", "alpha = 0", "must lie between 0 and 1"),
    "a release without windows": ("windows = 1200", "windows = 0", "`release.windows` must be 1 or more"),
    "a monitor without pings": ("pings = 3", "pings = 0", "without a ping nothing is known"),
    "a typo in alerts": ("suppression_h = 24", "supression_h = 24", "did you mean `suppression_h`?"),
    "an unknown way of silence": ('"carried" # or', '"dropped" # or', "must be one of 'carried', 'omitted'"),
    "a signal that is none": ('"SIGHUP"]', '"SIGHOP"]', "which is no signal"),
    "a signal with an experiment of its own": ('"SIGHUP"]', '"SIGTERM"]', "leave it out"),
    "a missing role": ('role = "close"', 'role = "open"', "has the role 'close'"),
}


def test_default_profile_is_the_contract() -> None:
    profile = load_profile()
    assert (profile.http.budget_s, profile.http.body_limit_bytes, profile.container.ready_s) == (1, 1 << 20, 60)
    assert len(profile.window.fields) == 10
    assert len(profile.sha256) == 64


def test_alerts_monitor_and_release_of_the_default_profile_are_those_of_the_code() -> None:
    profile = load_profile()
    assert (profile.alerts, profile.monitor, profile.release) == (Alerts(), Monitor(), Release())
    assert profile.alerts.execution_frequency_minutes == 5
    assert profile.alerts.notification_deduping_row_keys == ("target", "rule", "check")


def test_row_keys_may_be_columns_of_the_records(tmp_path: Path) -> None:
    path = tmp_path / "keyed.toml"
    keys = '["user_id", "pam_user_id"]'
    path.write_text(DEFAULT_PROFILE.read_text().replace('["target", "rule", "check"]', keys, 1))
    assert load_profile(path).alerts.notification_deduping_row_keys == ("user_id", "pam_user_id")


@pytest.mark.parametrize(("old", "new", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_wrong_profile_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(DEFAULT_PROFILE.read_text().replace(old, new, 1))
    with pytest.raises(ProfileInvalid) as refusal:
        load_profile(path)
    assert says in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_missing_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="cannot be read"):
        load_profile(tmp_path / "nowhere.toml")
