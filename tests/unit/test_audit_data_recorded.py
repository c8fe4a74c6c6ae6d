"""The audit of the recorded sample: its numbers are recomputed with pandas, and it is blocked for these reasons."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from harness.audit.data_audit import audit_data
from harness.audit.finding import Severity
from harness.contract.profile import load_profile

if TYPE_CHECKING:
    from harness.audit.finding import Audit

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "btc_1s_ohlcv.csv"
pytestmark = pytest.mark.skipif(not SAMPLE.is_file(), reason="no recorded sample beside the project")


@pytest.fixture(scope="module")
def audit() -> Audit:
    """Audit the sample once."""
    return audit_data([SAMPLE], load_profile())


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Read the sample with pandas, its starts in seconds."""
    table = pd.read_csv(SAMPLE)
    table["start_s"] = pd.to_datetime(table["time_period_start"]).astype("datetime64[ns, UTC]").astype("int64") / 1e9
    return table


def numbers(audit: Audit, name: str) -> dict[str, float]:
    (found,) = [finding for finding in audit.findings if finding.id == name]
    return {key: number for key, number in found.numbers.items() if isinstance(number, float | int)}


def test_it_is_blocked_for_one_day_one_level_and_rows_that_are_no_seconds(audit: Audit) -> None:
    assert {finding.id for finding in audit.findings if finding.severity is Severity.BLOCKS} == {
        "gaps.rows_are_no_seconds",
        "windows.few",
        "regime.one_day",
        "range.narrow",
        "range.outgrown",
    }


def test_span_and_share_of_seconds(audit: Audit, frame: pd.DataFrame) -> None:
    span_s = frame.start_s.iloc[-1] - frame.start_s.iloc[0] + 1
    found = numbers(audit, "span.covers")
    assert found["rows"] == len(frame) == 6000
    assert found["span_s"] == span_s
    assert found["periods_present_share"] == pytest.approx(len(frame) / span_s)


def test_steps_and_what_60_rows_span(audit: Audit, frame: pd.DataFrame) -> None:
    steps = frame.start_s.diff().dropna()
    spans = (frame.start_s + 1 - frame.start_s.shift(59)).dropna()
    found = numbers(audit, "gaps.rows_are_no_seconds")
    assert found["longer_share"] == pytest.approx((steps > 1).mean())
    assert found["step_longest_s"] == steps.max()
    for share in (50, 95):
        least = share / 100
        assert found[f"step_p{share}_s"] == np.quantile(steps, least, method="inverted_cdf")
        assert found[f"window_p{share}_s"] == np.quantile(spans, least, method="inverted_cdf")
    assert found["window_p50_s"] > 2 * 60


def test_windows_without_a_gap(audit: Audit, frame: pd.DataFrame) -> None:
    is_next = frame.start_s.diff() == 1
    found = numbers(audit, "windows.few")
    assert found["windows"] == (is_next.rolling(60).sum() == 60).sum()
    assert found["windows_without_target"] == (is_next.rolling(59).sum() == 59).sum()


def test_prices_and_moves(audit: Audit, frame: pd.DataFrame) -> None:
    close = frame.price_close
    moves = (close / close.shift()).dropna().map(math.log)
    seen, tails = numbers(audit, "range.narrow"), numbers(audit, "tails.fat")
    assert (seen["least"], seen["most"]) == (close.min(), close.max())
    assert seen["width"] == pytest.approx(close.max() / close.min() - 1)
    assert seen["width"] < 0.02
    assert tails["moves"] == len(moves)
    assert tails["sd"] == pytest.approx(math.sqrt((moves**2).mean()))
    population = ((moves - moves.mean()) ** 4).mean() / moves.var(ddof=0) ** 2 - 3
    assert tails["excess_kurtosis"] == pytest.approx(population)
    assert tails["largest"] == pytest.approx(moves.abs().max())
    assert numbers(audit, "closes.repeated")["share"] == pytest.approx((moves == 0).mean())
    assert numbers(audit, "ticks.size")["least_step"] == pytest.approx(close.diff().abs()[lambda step: step > 0].min())


def test_longest_stretch_without_a_change(audit: Audit, frame: pd.DataFrame) -> None:
    runs = frame.groupby((frame.price_close.diff() != 0).cumsum()).size()
    assert numbers(audit, "closes.flat")["longest_rows"] == runs.max()


def test_autocorrelation_and_what_it_explains(audit: Audit, frame: pd.DataFrame) -> None:
    moves = (frame.price_close / frame.price_close.shift()).map(math.log)
    found = numbers(audit, "signal.some")
    for lag in (1, 2, 10):
        product = (moves * moves.shift(lag)).dropna()
        assert found[f"lag_{lag}"] == pytest.approx(product.sum() / (moves**2).sum())
    product = (moves * moves.shift(1)).dropna()
    error = math.sqrt((product**2).sum()) / (moves**2).sum()
    assert found["lag_1_high"] - found["lag_1"] == pytest.approx(1.96 * error)
    # A line fitted by least squares to the ten moves before explains as much.
    lags = pd.DataFrame({"one": 1.0} | {lag: moves.shift(lag) for lag in range(1, 11)}).assign(y=moves).dropna()
    x, y = lags.drop(columns="y").to_numpy(), lags["y"].to_numpy()
    left = y - x @ np.linalg.lstsq(x, y)[0]
    assert found["explained"] == pytest.approx(1 - left.var() / y.var(), abs=0.01)


def test_a_high_is_its_own_open_or_close(audit: Audit, frame: pd.DataFrame) -> None:
    own = frame[["price_open", "price_close"]].max(axis=1)
    after = frame.price_close.shift().notna()
    found = numbers(audit, "leakage.same_row")
    assert found["high_is_open_or_close_share"] == pytest.approx((frame.price_high == own)[after].mean())
    assert found["same_row_rmse"] == pytest.approx(math.sqrt(((frame.price_high - own)[after] ** 2).mean()))
    before = (frame.price_high - frame.price_close.shift()).dropna()
    assert found["persistence_rmse"] == pytest.approx(math.sqrt((before**2).mean()))


def test_sizes_of_fields(audit: Audit, frame: pd.DataFrame) -> None:
    found = numbers(audit, "scales.wide")
    assert found["ratio"] == pytest.approx(frame.price_high.mean() / frame.volume_traded.mean())


def test_volatility_volume_and_digits_by_hour(audit: Audit, frame: pd.DataFrame) -> None:
    hour = frame.start_s // 3600
    volatility = ((frame.price_close / frame.price_close.shift()).map(math.log) ** 2).groupby(hour).mean() ** 0.5
    volume = frame.volume_traded.groupby(hour).sum()
    digits = frame.price_close.map(lambda price: len(f"{price}".partition(".")[2]))
    found = numbers(audit, "volatility.one_regime")
    assert found["hours"] == len(volatility) == 5
    assert found["median"] == pytest.approx(volatility.median())
    assert found["ratio"] == pytest.approx(volatility.max() / volatility.min())
    assert numbers(audit, "volume.by_hour")["share"] == pytest.approx(volume.max() / volume.sum())
    assert numbers(audit, "precision.digits")["digits"] == digits.quantile(0.99)


def test_what_the_rows_are_worth(audit: Audit, frame: pd.DataFrame) -> None:
    sizes = (frame.price_close / frame.price_close.shift()).map(math.log).abs().dropna()
    blocks = sizes.groupby(frame.start_s // 600)
    assert blocks.size().min() >= 10
    assert numbers(audit, "sample.effective")["effective"] == pytest.approx(
        blocks.ngroups * sizes.var(ddof=0) / blocks.mean().var()
    )


def test_what_fields_tell_of_the_next_move(audit: Audit, frame: pd.DataFrame) -> None:
    moves = (frame.price_close / frame.price_close.shift()).map(math.log)
    found = numbers(audit, "fields.telling")
    for name in ("price_open", "price_high", "price_low"):
        told = frame[name] / frame.price_close - 1
        assert found[f"correlation_{name}"] == pytest.approx(told.corr(moves.shift(-1)), abs=2e-3)
    told = frame.volume_traded.map(math.log1p)
    assert found["correlation_volume_traded"] == pytest.approx(told.corr(moves.shift(-1)), abs=2e-3)


def test_nothing_repeats_and_no_rule_is_broken(audit: Audit, frame: pd.DataFrame) -> None:
    assert not frame.start_s.duplicated().any()
    assert frame.start_s.is_monotonic_increasing
    assert not {finding.id for finding in audit.findings} & {"rows.repeated", "order.broken", "order.newest_first"}
    assert not any(finding.id.startswith("rules.") for finding in audit.findings)


def test_what_comes_is_hardly_in_the_range_that_was_seen(audit: Audit, frame: pd.DataFrame) -> None:
    moves = (frame.price_close / frame.price_close.shift()).map(math.log).dropna()
    lags = range(1, 11)
    known = [(moves * moves.shift(lag)).sum() / (moves**2).sum() for lag in lags]
    lasting = math.sqrt(1 + 2 * sum((1 - lag / 11) * value for lag, value in zip(lags, known, strict=True)))
    per_move_s = (frame.start_s.iloc[-1] - frame.start_s.iloc[0] + 1) / len(moves)
    yearly = math.sqrt((moves**2).mean()) * lasting * math.sqrt(365.25 * 86_400 / per_move_s)
    found = numbers(audit, "range.outgrown")
    assert found["volatility_per_year"] == pytest.approx(yearly)
    assert found["inside_probability"] < 0.01
