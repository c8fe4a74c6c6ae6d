"""The committed model: made by `train.py` and by nothing else, alive, and worth its place."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from harness.contract.series import generate
from harness.system.engine import Engine, ensure_engine
from harness.system.guard import Run
from harness.system.reference_image import ensure_reference_image
from reference_container.features import RECORDS, features

PROJECT = Path(__file__).resolve().parents[2]
MODEL = PROJECT / "reference_container" / "model"
RECORDED = PROJECT.parent / "shared" / "data" / "btc_1s_ohlcv.csv"
# Training repeats to the last bit on one machine; another processor rounds otherwise, and 400 steps pass that on.
# In shares of the last close: a fiftieth of what the corrections of a usual market amount to.
TOLERANCE = 5e-7
LARGEST_CORRECTION = 2e-3
PREDICT = (
    "import json, sys; from model_process import load; "
    "infer = load(sys.argv[1]); rows = json.load(open('/exchange/rows.json')); "
    "json.dump(list(infer(rows)), open('/exchange/corrections.json', 'w'))"
)
Infer = Callable[[Path, Sequence[Sequence[float]]], list[float]]

pytestmark = [pytest.mark.detection, pytest.mark.timeout(600)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Where the image's Python runs: the engine, the image, and the run whose guard clears up."""

    engine: Engine
    image: str
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Consecutive seconds: prices in USD, one entry each."""

    highs: list[float]
    lows: list[float]
    closes: list[float]

    def rows(self) -> list[list[float]]:
        """Return what the model sees of each window, but of the last, whose next second is unknown."""
        ends = range(RECORDS, len(self.closes))
        return [
            features(highs=self.highs[end - RECORDS : end], lows=self.lows[end - RECORDS : end], closes=closes)
            for end in ends
            for closes in [self.closes[end - RECORDS : end]]
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Root mean square errors in USD."""

    model: float
    persistence: float


@pytest.fixture(scope="module")
def bench(sut_run: Run) -> Workbench:
    """Name the reference image, which brings TensorFlow."""
    engine = ensure_engine(say=print)
    return Workbench(engine=engine, image=ensure_reference_image(engine, say=print), run=sut_run)


@pytest.fixture(scope="module")
def infer(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Infer:
    """Return a function that runs a SavedModel's folder on rows of features, inside the image."""

    def run(model: Path, rows: Sequence[Sequence[float]]) -> list[float]:
        exchange = tmp_path_factory.mktemp("exchange")
        (exchange / "rows.json").write_text(json.dumps(rows))
        in_image(bench, ["-c", PREDICT, "/model/1"], read={model: "/model"}, write={exchange: "/exchange"})
        found: list[float] = json.loads((exchange / "corrections.json").read_text())
        return found

    return run


def in_image(bench: Workbench, arguments: list[str], *, read: dict[Path, str], write: dict[Path, str]) -> None:
    """Run the image's Python to its end, without a network."""
    volumes = {str(path): {"bind": place, "mode": "ro"} for path, place in read.items()}
    volumes |= {str(path): {"bind": place, "mode": "rw"} for path, place in write.items()}
    bench.engine.client.containers.run(
        bench.image,
        arguments,
        entrypoint=["python"],
        remove=True,
        network_mode="none",
        volumes=volumes,
        labels=dict(bench.run.labels),
    )


def generated(**arguments: float) -> Market:
    """Return a market that training never saw."""
    series = generate(seed=987_654, seconds=6_000, **arguments)
    return Market(highs=[s.high for s in series], lows=[s.low for s in series], closes=[s.close for s in series])


def recorded() -> Market:
    """Read the recorded seconds; one that is missing carries the last close forward."""
    with RECORDED.open(newline="") as file:
        rows = {datetime.fromisoformat(row["time_period_start"][:19]): row for row in csv.DictReader(file)}
    moments = [moment.timestamp() for moment in rows]
    by_second = dict(zip([round(moment - moments[0]) for moment in moments], rows.values(), strict=True))
    market = Market(highs=[], lows=[], closes=[])
    for second in range(max(by_second) + 1):
        row = by_second.get(second)
        close = float(row["price_close"]) if row else market.closes[-1]
        market.highs.append(float(row["price_high"]) if row else close)
        market.lows.append(float(row["price_low"]) if row else close)
        market.closes.append(close)
    return market


def skill(market: Market, corrections: Sequence[float]) -> Skill:
    """Compare the errors of the model with those of "next = last close"."""
    pairs = list(zip(market.closes[RECORDS - 1 : -1], market.closes[RECORDS:], strict=True))
    predicted = [last * (1 + correction) for (last, _), correction in zip(pairs, corrections, strict=True)]
    ours = [guess - later for guess, (_, later) in zip(predicted, pairs, strict=True)]
    return Skill(model=_rms(ours), persistence=_rms([last - later for last, later in pairs]))


def _rms(errors: Sequence[float]) -> float:
    return math.sqrt(sum(error * error for error in errors) / len(errors))


def test_training_again_gives_the_committed_model(bench: Workbench, infer: Infer, tmp_path: Path) -> None:
    train = ["/src/reference_container/train.py", "--output", "/out/1"]
    in_image(bench, train, read={PROJECT: "/src"}, write={tmp_path: "/out"})
    rows = generated(volatility=6e-5).rows()[::10]
    differences = [abs(a - b) for a, b in zip(infer(MODEL, rows), infer(tmp_path, rows), strict=True)]
    assert max(differences) <= TOLERANCE


@pytest.mark.parametrize(("volatility", "silent_share"), [(4e-5, 0.3), (1e-5, 0.0), (2e-4, 0.7)])
def test_the_model_beats_persistence_on_a_market_it_never_saw(
    infer: Infer, volatility: float, silent_share: float
) -> None:
    market = generated(volatility=volatility, silent_share=silent_share)
    found = skill(market, infer(MODEL, market.rows()))
    assert found.model < found.persistence


@pytest.mark.skipif(not RECORDED.is_file(), reason=f"there is no recorded series at {RECORDED}")
def test_the_model_is_no_worse_than_persistence_on_recorded_prices(infer: Infer) -> None:
    market = recorded()
    found = skill(market, infer(MODEL, market.rows()))
    assert found.model <= found.persistence


def test_the_model_is_alive(infer: Infer) -> None:
    """A dead unit answers one number whatever it sees; this one's answers differ, in size and in sign."""
    corrections = infer(MODEL, generated().rows()[::10])
    assert len({round(correction, 9) for correction in corrections}) > len(corrections) / 2
    assert min(corrections) < 0 < max(corrections)


def test_corrections_are_bounded_and_nothing_moves_without_a_reason(infer: Infer) -> None:
    flat, *wild = infer(MODEL, [[0.0] * 119, [9.0] * 119, [-0.9] * 119, [1e6] * 119])
    assert abs(flat) < 1e-6
    assert all(abs(correction) <= LARGEST_CORRECTION * 1.000_001 for correction in wild)


def test_the_level_does_not_matter(infer: Infer) -> None:
    low, high = (generated(level=level).rows()[:200] for level in (10_000.0, 1_000_000.0))
    pairs = zip(infer(MODEL, low), infer(MODEL, high), strict=True)
    assert max(abs(a - b) for a, b in pairs) < 1e-5


def test_a_batch_changes_no_answer(infer: Infer) -> None:
    rows = generated().rows()[:64]
    together, alone = infer(MODEL, rows), infer(MODEL, rows[:1])
    assert math.isclose(1 + together[0], 1 + alone[0], rel_tol=1e-7)
