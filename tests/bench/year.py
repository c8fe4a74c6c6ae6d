"""A year of a market by the second as Parquet, a file for every ten days: `python -m tests.bench.year ROWS FOLDER`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import pandas as pd

from fixtures.audit_data.market import Market
from harness.contract.profile import load_profile

DAY_S = 86_400
_FILE_DAYS = 10
_ONE_IN = 10_000


def make(rows: int, folder: Path, *, gaps: bool = True) -> list[Path]:
    """Write the last `rows` seconds of a market, with `gaps` one in 10,000 left out; return the paths in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, left, end_s = [], rows, int(time.time()) // DAY_S * DAY_S
    while left > 0:
        count = min(left, _FILE_DAYS * DAY_S)
        paths.append(_write(folder, end_s - left, count, gaps=gaps))
        left -= count
    return paths


def _write(folder: Path, begin_s: int, count: int, *, gaps: bool) -> Path:
    path = folder / f"{begin_s}.parquet"
    times = ", ".join(f"make_timestamp_ns({name}) AS {name}" for name in load_profile().window.of_kind("timestamp"))
    with duckdb.connect() as connection:
        connection.register("columns", pd.DataFrame(Market(seed=7).seconds(begin_s, count)))
        rows = connection.table("columns").filter(f"hash(time_open) % {_ONE_IN} <> 0 OR NOT {gaps}")
        rows.select(f"* REPLACE ({times})").write_parquet(str(path))
    return path


if __name__ == "__main__":
    make(int(sys.argv[1]), Path(sys.argv[2]))
