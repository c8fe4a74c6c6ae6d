"""The data rules on files of records, by pandera and by Great Expectations; runs in an environment of theirs.

`python frame_peers.py ROUNDS N FILE...` prints by each way how many rows of each file break each rule, and its seconds
for the first N, round by round; each reads the files itself, with pandas.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import pandera.pandas as pa

TIMES = ("time_period_start", "time_period_end", "time_open", "time_close")
PRICES = ("price_open", "price_high", "price_low", "price_close")
AMOUNTS = ("volume_traded", "trades_count")
LEAST, MOST = 1, 10_000_000
SECOND = pd.Timedelta(1, "s")
# The text of a time, and the contract's format of it: typed files hold moments, and need neither.
WRITTEN, FORMAT = "written_", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$"
NO_TIME = " is no time in the contract's format"
# How the audit names what it counts.
OUTSIDE, LENGTH = " is outside 1 to 1e+07", "time_period_end is not time_period_start + 1 s"
SAID = {
    "not_nullable": " is empty",
    "greater_than(0)": " is not above 0",
    "greater_than_or_equal_to(0)": " is below 0",
    f"in_range({LEAST}, {MOST})": OUTSIDE,
    f"str_matches('{FORMAT}')": NO_TIME,
}
# Counting what was found is no part of what is measured.
Counts = Callable[[], dict[str, int]]
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
    """Read a file as pandas does, times as moments; what is no time becomes none, and its text stays beside."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    frame = pd.read_csv(path)
    for name in TIMES:
        frame[WRITTEN + name] = frame[name]
        frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True, errors="coerce")
    return frame


def _follows(starts: pd.Series) -> pd.Series:
    return starts.diff().fillna(SECOND) == SECOND


def _whole(counts: pd.Series) -> pd.Series:
    return counts % 1 == 0


def _in_order(low: str, high: str) -> pa.Check:
    return pa.Check(lambda frame: frame[low] <= frame[high], name=f"{low} > {high}")


def _columns() -> dict[str, pa.Column]:
    columns = {name: pa.Column(nullable=False) for name in TIMES}
    written = pa.Check.str_matches(FORMAT)
    columns |= {WRITTEN + name: pa.Column(checks=written, nullable=True, required=False) for name in TIMES}
    columns["time_period_start"] = pa.Column(nullable=False, checks=pa.Check(_follows, name="steps"))
    price, amount = [pa.Check.gt(0), pa.Check.in_range(LEAST, MOST)], [pa.Check.ge(0)]
    columns |= {name: pa.Column(float, price, nullable=False, coerce=True) for name in PRICES}
    columns |= {name: pa.Column(float, amount, nullable=False, coerce=True) for name in AMOUNTS}
    whole = pa.Check(_whole, name=" is no whole number")
    return columns | {"trades_count": pa.Column(float, [*amount, whole], nullable=False, coerce=True)}


def _schema() -> pa.DataFrameSchema:
    lasts = pa.Check(lambda frame: frame["time_period_end"] - frame["time_period_start"] == SECOND, name=LENGTH)
    return pa.DataFrameSchema(_columns(), checks=[*(_in_order(*pair) for pair in ORDERED), lasts])


SCHEMA = _schema()


def with_pandera(path: Path) -> Counts:
    """Let pandera collect every failure."""
    try:
        SCHEMA.validate(read(path), lazy=True)
    except pa.errors.SchemaErrors as found:
        return partial(_failures, found.failure_cases)
    return dict


def _failures(cases: pd.DataFrame) -> dict[str, int]:
    """Count rows by check; a check of one column by its name and the check's, one of a frame by the check's alone."""
    is_of_column = (cases["schema_context"] == "Column") & (cases["check"] != "steps")
    columns = cases["column"].str.removeprefix(WRITTEN)
    names = columns.where(is_of_column, "") + cases["check"].replace(SAID)
    counts = cases.groupby(names)["index"].nunique()
    return {str(name): int(count) for name, count in counts.items()}


def _expectations() -> dict[str, gxe.Expectation]:
    found: dict[str, gxe.Expectation] = {}
    for name in (*TIMES, *PRICES, *AMOUNTS):
        found[f"{name} is not there"] = gxe.ExpectColumnToExist(column=name)
        found[f"{name} is empty"] = gxe.ExpectColumnValuesToNotBeNull(column=name)
    for name in PRICES:
        found[f"{name} is not above 0"] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0, strict_min=True)
        found[f"{name}{OUTSIDE}"] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=LEAST, max_value=MOST)
    for name in AMOUNTS:
        found[f"{name} is below 0"] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0)
    for low, high in ORDERED:
        found[f"{low} > {high}"] = gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=high, column_B=low, or_equal=True
        )
    # It has no rule for steps of a second, nor for whole numbers: these columns are made for it.
    made = {"steps": ("step_s", 1), LENGTH: ("length_s", 1), "trades_count is no whole number": ("part_of_a_trade", 0)}
    for says, (name, value) in made.items():
        found[says] = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=value, max_value=value)
    return found


def _written() -> dict[str, gxe.Expectation]:
    return {
        f"{name}{NO_TIME}": gxe.ExpectColumnValuesToMatchRegex(column=WRITTEN + name, regex=f"^{FORMAT}")
        for name in TIMES
    }


CONTEXT = gx.get_context(mode="ephemeral")
CONTEXT.variables.progress_bars = {"globally": False}
BATCH = (
    CONTEXT.data_sources.add_pandas("frames").add_dataframe_asset("records").add_batch_definition_whole_dataframe("all")
)
EXPECTATIONS, OF_TEXT = _expectations(), _written()
SUITE = gx.ExpectationSuite(name="rules", expectations=[*EXPECTATIONS.values()])
TEXT_SUITE = gx.ExpectationSuite(name="rules of text", expectations=[*EXPECTATIONS.values(), *OF_TEXT.values()])


def with_great_expectations(path: Path) -> Counts:
    """Let Great Expectations judge, with its briefest result that counts."""
    frame = read(path)
    frame["step_s"] = frame["time_period_start"].diff().dt.total_seconds().fillna(1)
    frame["length_s"] = (frame["time_period_end"] - frame["time_period_start"]).dt.total_seconds()
    frame["part_of_a_trade"] = frame["trades_count"] % 1
    batch = BATCH.get_batch(batch_parameters={"dataframe": frame})
    suite = TEXT_SUITE if path.suffix == ".csv" else SUITE
    results = batch.validate(suite, result_format="BASIC").results
    return lambda: _unexpected([one.to_json_dict() for one in results])


def _unexpected(results: list[dict[str, Any]]) -> dict[str, int]:
    counts = {_key(one["expectation_config"]): one["result"].get("unexpected_count", 0) for one in results}
    names = {_key(one.configuration.to_json_dict()): says for says, one in (EXPECTATIONS | OF_TEXT).items()}
    return {names[key]: count for key, count in counts.items() if count}


def _key(configuration: dict[str, Any]) -> str:
    """Name an expectation by what it was made of: results come in an order of their own."""
    asked = {name: value for name, value in configuration["kwargs"].items() if name != "batch_id"}
    return f"{configuration['type']} {json.dumps(asked, sort_keys=True)}"


WAYS: dict[str, Callable[[Path], Counts]] = {"pandera": with_pandera, "great_expectations": with_great_expectations}


def main() -> None:
    """Judge all, then measure the first ones in turn, and print."""
    rounds, measured, paths = int(sys.argv[1]), int(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]]
    bad = {name: [way(path)() for path in paths] for name, way in WAYS.items()}
    took_s: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            took_s[name].append([])
            for path in paths[:measured]:
                began_s = time.perf_counter()
                way(path)
                took_s[name][-1].append(time.perf_counter() - began_s)
    print(json.dumps({"bad": bad, "took_s": took_s}))  # noqa: T201 - its output


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
