"""`python -m tests.bench.year DAYS FOLDER`: a series by the second as Parquet, a file for every so many days."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pandas as pd

from fixtures.audit_data.market import Market
from harness.contract.profile import load_profile

DAY_S = 86_400
# Fixed, so that a file that is there need not be made again.
END_S = 1_780_272_000
_FILE_DAYS = 10


def make(days: float, folder: Path) -> list[Path]:
    """Write the last `days` days of a market, oldest file first, where they are not there; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    left_s = round(days * DAY_S)
    while left_s > 0:
        count = min(left_s, _FILE_DAYS * DAY_S)
        paths.append(_file(folder, END_S - left_s, count))
        left_s -= count
    return paths


def _file(folder: Path, begin_s: int, count: int) -> Path:
    path = folder / f"{begin_s}-{count}.parquet"
    if not path.is_file():
        partial = path.with_suffix(".part")
        columns = pd.DataFrame(Market(seed=7).seconds(begin_s, count))
        times = ", ".join(f"make_timestamp_ns({name}) AS {name}" for name in load_profile().window.of_kind("timestamp"))
        with duckdb.connect() as connection:
            connection.register("columns", columns)
            connection.sql(f"SELECT * REPLACE ({times}) FROM columns").write_parquet(str(partial))
        partial.rename(path)
    return path


if __name__ == "__main__":
    make(float(sys.argv[1]), Path(sys.argv[2]))
