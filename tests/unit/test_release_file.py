"""`release.toml`: the documented example is good, and what goes beyond a limit is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.release.guardrails import Deployment, ReleaseInvalid, load_release

EXAMPLE = Path(__file__).resolve().parents[2] / "harness" / "profiles" / "release.toml"

FIRST_LINES = 'strategy = "canary"      # or "linear", or "all_at_once"\npercent = 10 '


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
    path = tmp_path / "release.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_documented_example_is_good() -> None:
    release = load_release(EXAMPLE)
    assert release.deployment.shares(2) == (0.1, 1.0)
    assert release.sagemaker is not None
    assert release.sagemaker.variants[0].instances == 2


def test_what_is_commented_out_in_the_example_is_good_too(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = "[ name namespace metric statistic above image instance_type weight model_data timeout_s"
    starts = tuple(f"# {key}" for key in keys.split())
    lines = [line[2:] if line.startswith(starts) else line for line in text.splitlines()]
    path = tmp_path / "release.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    release = load_release(path)
    assert release.sagemaker is not None
    assert release.sagemaker.shadow is not None
    assert release.sagemaker.shadow.weight == 0.5
    assert release.alarms.custom[0].name == "wrong-answers"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("percent = 10 ", "percnt = 10 ", "unknown key `percnt` in `[deployment]`, did you mean `percent`?"),
        ("percent = 10 ", "percent = 51 ", "`deployment.percent` of a canary must be 1 to 50, got 51"),
        ("percent = 10 ", "", "needs the size of a step: `percent` or `instances`, one of both"),
        (
            "percent = 10 ",
            "instances = 2 ",
            "`deployment.instances` must be 1 to 1, half of variant 'AllTraffic', got 2",
        ),
        ("percent = 10 ", "percent = 10\ninstances = 1 ", "`percent` or `instances`, one of both"),
        (FIRST_LINES, 'strategy = "linear"\npercent = 9 ', "of a linear step must be 10 to 50, got 9"),
        (FIRST_LINES, 'strategy = "linear"\npercent = 60 ', "of a linear step must be 10 to 50, got 60"),
        ('strategy = "canary" ', 'strategy = "all_at_once" ', "leave `percent` and `instances` out"),
        ('strategy = "canary" ', 'strategy = "rolling" ', "`deployment.strategy` must be one of 'canary', 'linear'"),
        ("bake_s = 600 ", "bake_s = 3601 ", "`deployment.bake_s` must be 0 to 3600, got 3601"),
        ("bake_s = 600 ", "bake_s = 0 ", "`deployment.bake_s` must be 1 or more"),
        ("bake_s = 600 ", "bake_s = 60 ", "`alarms` look at 300 s, and `deployment.bake_s` is 60"),
        ("# timeout_s = 3600 ", "timeout_s = 599 ", "`deployment.timeout_s` must be 600 to 28800, got 599"),
        ("# timeout_s = 3600 ", "timeout_s = 1500 ", "`deployment` waits for 1500 s in all, and must end within 1500"),
        ("period_s = 300 ", "period_s = 45 ", "`alarms.period_s` must be 10, 20, 30 or a multiple of 60, got 45"),
        ("periods = 1 ", "periods = 0 ", "`alarms.periods` must be 1 or more"),
        ("warm_up_s = 1800 ", "warm_up_s = 90 ", "`alarms.warm_up_s` must be whole minutes"),
        ("refused_share = 0.1 ", "refused_share = 1.1 ", "`alarms.refused_share` must be a share from 0 to 1"),
        ("schema = 1", "schema = 2", "`schema` must be 1, got 2"),
        ("instances = 2", "instances = 1", "has 1 instance: no step is half of it or less"),
        ("instances = 2", "instances = 0", "has no instance"),
        ('"ml.m5.large"\ninstances', '"ml.inf1.xlarge"\ninstances', "SageMaker has no guardrails for Inf1"),
        ("role/price-serving", "user/me", "`sagemaker.role` is no role's ARN"),
        ('endpoint = "btc-next-second"', 'endpoint = "btc_next"', "`sagemaker` holds the name 'btc_next'"),
        ("weight = 1 ", "weight = 0 ", "`sagemaker.variants` weigh 0 in all"),
        ("# [sagemaker.shadow]", '[sagemaker.shadow]\nname = "AllTraffic"\nimage = "b"\ninstance_type = "c"', "twice"),
    ],
)
def test_what_goes_beyond_a_limit_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(ReleaseInvalid) as refused:
        load_release(path)
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"release {path}: ")
    assert "\n" not in str(refused.value)


def test_a_shadow_goes_with_one_variant(tmp_path: Path) -> None:
    shadow = '[sagemaker.shadow]\nname = "S"\nimage = "b"\ninstance_type = "c"\nweight = 1.5'
    with pytest.raises(ReleaseInvalid, match=r"must be a share above 0, 1 at most, got 1\.5"):
        load_release(changed(tmp_path, "# [sagemaker.shadow]", f"{shadow} #"))
    second = '[[sagemaker.variants]]\nname = "B"\nimage = "b"\ninstance_type = "c"\ninstances = 2\n'
    with pytest.raises(ReleaseInvalid, match="goes with one production variant, got 2"):
        load_release(changed(tmp_path, "# [sagemaker.shadow]", f"{second}{shadow} #"))


@pytest.mark.parametrize(
    ("deployment", "fleet", "shares"),
    [
        (Deployment(strategy="all_at_once"), 4, (1.0,)),
        (Deployment(strategy="canary", instances=1), 4, (0.25, 1.0)),
        (Deployment(strategy="linear", percent=30), 4, (0.3, 0.6, 0.9, 1.0)),
        (Deployment(strategy="linear", percent=25), 4, (0.25, 0.5, 0.75, 1.0)),
        (Deployment(strategy="linear", instances=2), 4, (0.5, 1.0)),
    ],
)
def test_a_deployment_ends_at_all_of_the_traffic(deployment: Deployment, fleet: int, shares: tuple[float, ...]) -> None:
    assert deployment.shares(fleet) == pytest.approx(shares)
    assert deployment.timeout_of_s(fleet) > deployment.waits_s(fleet)


def test_a_file_that_is_not_there_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseInvalid, match="cannot be read"):
        load_release(tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_text("[", encoding="utf-8")
    with pytest.raises(ReleaseInvalid, match="is not TOML"):
        load_release(tmp_path / "bad.toml")
