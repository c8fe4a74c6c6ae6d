"""Three ways to read and check one window of 60 records: ours, pydantic's, pandera's; runs inside the reference image.

All three refuse what is broken in the same ways; that is seen to first. Every window is another one, so that nothing
can be kept from one to the next. Prints the median seconds of each way, round by round.
"""

import csv
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import orjson
import pandas as pd
import pandera.pandas as pa
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from validation import FIELDS, PRICES, TIMES, parse_csv, parse_json, validate

ROUNDS = 5
RECORDS = 60
SECOND = timedelta(seconds=1)
OLDEST, AHEAD = timedelta(seconds=60), timedelta(seconds=2)
Way = Callable[[bytes], object]


def _whole(value: float) -> float:
    if value % 1:
        msg = "not a whole number"
        raise ValueError(msg)
    return value


Price = Annotated[float, Field(ge=1, le=10_000_000, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Record(BaseModel):
    """One second."""

    model_config = ConfigDict(extra="ignore")
    time_period_start: AwareDatetime
    time_period_end: AwareDatetime
    time_open: AwareDatetime
    time_close: AwareDatetime
    price_open: Price
    price_high: Price
    price_low: Price
    price_close: Price
    volume_traded: Amount
    trades_count: Annotated[Amount, AfterValidator(_whole)]

    @model_validator(mode="after")
    def fits(self) -> Self:
        """Check what its fields say of each other."""
        is_priced = self.price_low <= min(self.price_open, self.price_close) and (
            max(self.price_open, self.price_close) <= self.price_high
        )
        is_timed = self.time_period_start <= self.time_open <= self.time_close <= self.time_period_end
        if not (is_priced and is_timed and self.time_period_end - self.time_period_start == SECOND):
            msg = "the record contradicts itself"
            raise ValueError(msg)
        return self


class Body(BaseModel):
    """A window, oldest record first."""

    window: Annotated[list[Record], Field(min_length=RECORDS, max_length=RECORDS)]

    @model_validator(mode="after")
    def follows(self) -> Self:
        """Check that each second follows the one before it, and that the last is of now."""
        starts = [record.time_period_start for record in self.window]
        now = datetime.now(tz=starts[0].tzinfo)
        is_current = now - OLDEST <= self.window[-1].time_period_end <= now + AHEAD
        if not is_current or any(b - a != SECOND for a, b in pairwise(starts)):
            msg = "the seconds do not follow each other up to now"
            raise ValueError(msg)
        return self


WINDOW = TypeAdapter(Body)


def pydantic_json(body: bytes) -> object:
    """Let pydantic parse and check; its own JSON parser is its fastest way."""
    return WINDOW.validate_json(body)


def pydantic_csv(body: bytes) -> object:
    """Let the standard library split, and pydantic read and check."""
    return WINDOW.validate_python({"window": list(csv.DictReader(io.StringIO(body.decode())))})


def _follows(starts: pd.Series) -> bool:
    return bool((starts.diff().iloc[1:] == pd.Timedelta(1, "s")).all())


def _is_current(ends: pd.Series) -> bool:
    now = pd.Timestamp.now(tz="UTC")
    return bool(now - OLDEST <= ends.iloc[-1] <= now + AHEAD)


SCHEMA = pa.DataFrameSchema(
    {
        **{field: pa.Column("datetime64[ns, UTC]") for field in TIMES},
        "time_period_start": pa.Column("datetime64[ns, UTC]", pa.Check(_follows)),
        "time_period_end": pa.Column("datetime64[ns, UTC]", pa.Check(_is_current)),
        **{field: pa.Column(float, pa.Check.in_range(1, 10_000_000), coerce=True) for field in PRICES},
        "volume_traded": pa.Column(float, pa.Check.ge(0), coerce=True),
        "trades_count": pa.Column(float, [pa.Check.ge(0), pa.Check(lambda counts: counts % 1 == 0)], coerce=True),
    },
    checks=[
        pa.Check(lambda frame: len(frame) == RECORDS),
        pa.Check(lambda frame: frame[["price_open", "price_close"]].ge(frame["price_low"], axis=0).all(axis=None)),
        pa.Check(lambda frame: frame[["price_open", "price_close"]].le(frame["price_high"], axis=0).all(axis=None)),
        pa.Check(lambda frame: frame["time_period_end"] - frame["time_period_start"] == pd.Timedelta(1, "s")),
        pa.Check(lambda frame: frame["time_period_start"] <= frame["time_open"]),
        pa.Check(lambda frame: frame["time_open"] <= frame["time_close"]),
        pa.Check(lambda frame: frame["time_close"] <= frame["time_period_end"]),
    ],
)


def _checked(frame: pd.DataFrame) -> object:
    for field in TIMES:
        frame[field] = pd.to_datetime(frame[field], format="ISO8601", utc=True).astype("datetime64[ns, UTC]")
    return SCHEMA.validate(frame)


def pandera_json(body: bytes) -> object:
    """Parse as we do, and let pandera check the frame."""
    return _checked(pd.DataFrame(orjson.loads(body)["window"]))


def pandera_csv(body: bytes) -> object:
    """Let pandas parse, and pandera check."""
    return _checked(pd.read_csv(io.BytesIO(body)))


WAYS: Mapping[str, Mapping[str, Way]] = {
    "json": {"ours": lambda body: validate(parse_json(body)), "pydantic": pydantic_json, "pandera": pandera_json},
    "csv": {"ours": lambda body: validate(parse_csv(body)), "pydantic": pydantic_csv, "pandera": pandera_csv},
}
_BREACHES: Mapping[str, Callable[[list[dict[str, Any]]], object]] = {
    "59 records": lambda records: records.pop(),
    "a gap": lambda records: records.__setitem__(3, dict(records[2])),
    "an empty price": lambda records: records[3].update(price_low=None),
    "a price below its low": lambda records: records[3].update(price_close=records[3]["price_low"] - 0.5),
    "a negative volume": lambda records: records[3].update(volume_traded=-1),
    "half a trade": lambda records: records[3].update(trades_count=1.5),
    "an implausible price": lambda records: records[3].update(price_high=1e8),
    "a time that is none": lambda records: records[3].update(time_open="yesterday"),
    "a close after the end": lambda records: records[3].update(time_close=records[5]["time_close"]),
    "of last year": lambda records: [
        record.update({field: "2023" + record[field][4:] for field in TIMES}) for record in records
    ],
}


def see_that_all_refuse(bodies: Sequence[bytes]) -> None:
    """Raise AssertionError where a way refuses a good window, or takes a broken one."""
    for edit in (lambda records: records, *_BREACHES.values()):
        records = json.loads(bodies[0])["window"]
        edit(records)
        for codec, ways in WAYS.items():
            taken = {name: _is_taken(way, _encoded(records, codec)) for name, way in ways.items()}
            expected = edit not in _BREACHES.values()
            if set(taken.values()) != {expected}:
                raise AssertionError(codec, taken, expected)


def _is_taken(way: Way, body: bytes) -> bool:
    try:
        way(body)
    except Exception:  # noqa: BLE001 - each has errors of its own
        return False
    return True


def _encoded(records: list[dict[str, Any]], codec: str) -> bytes:
    if codec == "json":
        return json.dumps({"window": records}).encode()
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return sheet.getvalue().encode()


def median_s(way: Way, bodies: Sequence[bytes]) -> float:
    """Return the median seconds of one call a body."""
    took_s = []
    for body in bodies:
        began_s = time.perf_counter()
        way(body)
        took_s.append(time.perf_counter() - began_s)
    return statistics.median(took_s)


def main() -> None:
    """Measure in turn, and print."""
    folder = Path(sys.argv[1])
    bodies = {codec: [path.read_bytes() for path in sorted(folder.glob(f"*.{codec}"))] for codec in WAYS}
    see_that_all_refuse(bodies["json"])
    for codec, ways in WAYS.items():
        for way in ways.values():
            median_s(way, bodies[codec][:10])
    rounds = [
        {codec: {name: median_s(way, bodies[codec]) for name, way in ways.items()} for codec, ways in WAYS.items()}
        for _ in range(ROUNDS)
    ]
    print(json.dumps(rounds))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
