"""The data rules on a file of records, by pandera and by Great Expectations; runs in an environment of theirs.

`python frame_peers.py ROUNDS FILE BROKEN...` prints by each way whether each file holds, and its seconds for the first
one, round by round; each reads the files itself, with pandas.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import pandera.pandas as pa

TIMES = ("time_period_start", "time_period_end", "time_open", "time_close")
PRICES = ("price_open", "price_high", "price_low", "price_close")
AMOUNTS = ("volume_traded", "trades_count")
LEAST, MOST = 1, 10_000_000
SECOND = pd.Timedelta(1, "s")
# The first is never greater than the second.
ORDERED = (
    ("price_low", "price_open"),
    ("price_low", "price_close"),
    ("price_open", "price_high"),
    ("price_close", "price_high"),
    ("time_period_start", "time_open"),
    ("time_open", "time_close"),
    ("time_close", "time_period_end"),
)


def read(path: Path) -> pd.DataFrame:
    """Read a file as pandas does, times as moments; what is no time becomes none."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    frame = pd.read_csv(path)
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True, errors="coerce")
    return frame


def _follows(starts: pd.Series) -> pd.Series:
    return starts.diff().fillna(SECOND) == SECOND


def _schema() -> pa.DataFrameSchema:
    price = [pa.Check.gt(0), pa.Check.in_range(LEAST, MOST)]
    columns = {name: pa.Column(nullable=False) for name in TIMES}
    columns["time_period_start"] = pa.Column(nullable=False, checks=pa.Check(_follows))
    columns |= {name: pa.Column(float, price, nullable=False, coerce=True) for name in PRICES}
    columns |= {name: pa.Column(float, pa.Check.ge(0), nullable=False, coerce=True) for name in AMOUNTS}
    relations = [pa.Check(lambda frame, low=low, high=high: frame[low] <= frame[high]) for low, high in ORDERED]
    lasts = pa.Check(lambda frame: frame["time_period_end"] - frame["time_period_start"] == SECOND)
    whole = pa.Check(lambda frame: frame["trades_count"] % 1 == 0)
    return pa.DataFrameSchema(columns, checks=[*relations, lasts, whole])


SCHEMA = _schema()


def with_pandera(path: Path) -> bool:
    """Let pandera collect every failure."""
    try:
        SCHEMA.validate(read(path), lazy=True)
    except pa.errors.SchemaErrors:
        return False
    return True


def _expectations() -> list[gxe.Expectation]:
    names = (*TIMES, *PRICES, *AMOUNTS)
    there = [gxe.ExpectColumnToExist(column=name) for name in names]
    filled = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in names]
    prices = [gxe.ExpectColumnValuesToBeBetween(column=name, min_value=LEAST, max_value=MOST) for name in PRICES]
    amounts = [gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0) for name in AMOUNTS]
    relations = [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A=high, column_B=low, or_equal=True) for low, high in ORDERED
    ]
    # It has no rule for steps of a second, nor for whole numbers: these columns are made for it.
    made = [
        gxe.ExpectColumnValuesToBeBetween(column="step_s", min_value=1, max_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="length_s", min_value=1, max_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="part_of_a_trade", min_value=0, max_value=0),
    ]
    return [*there, *filled, *prices, *amounts, *relations, *made]


CONTEXT = gx.get_context(mode="ephemeral")
CONTEXT.variables.progress_bars = {"globally": False}
BATCH = (
    CONTEXT.data_sources.add_pandas("frames").add_dataframe_asset("records").add_batch_definition_whole_dataframe("all")
)
SUITE = gx.ExpectationSuite(name="rules", expectations=_expectations())


def with_great_expectations(path: Path) -> bool:
    """Let Great Expectations judge, with its briefest result."""
    frame = read(path)
    frame["step_s"] = frame["time_period_start"].diff().dt.total_seconds().fillna(1)
    frame["length_s"] = (frame["time_period_end"] - frame["time_period_start"]).dt.total_seconds()
    frame["part_of_a_trade"] = frame["trades_count"] % 1
    batch = BATCH.get_batch(batch_parameters={"dataframe": frame})
    return bool(batch.validate(SUITE, result_format="BASIC").success)


WAYS: dict[str, Callable[[Path], bool]] = {"pandera": with_pandera, "great_expectations": with_great_expectations}


def main() -> None:
    """Judge all, then measure the first in turn, and print."""
    rounds, paths = int(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]]
    holds = {name: [way(path) for path in paths] for name, way in WAYS.items()}
    took_s: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            began_s = time.perf_counter()
            way(paths[0])
            took_s[name].append(time.perf_counter() - began_s)
    print(json.dumps({"holds": holds, "took_s": took_s}))  # noqa: T201 - its output


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
