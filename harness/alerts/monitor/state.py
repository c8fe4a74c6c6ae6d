"""What one run of the monitor hands to the next: bounded, and written whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.alerts.monitor.container_check import Lifetime
from harness.alerts.monitor.feed_check import closes
from harness.alerts.monitor.forecasts import Forecast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.contract.profile import WindowRule
    from harness.contract.records import Record

SCHEMA = 1
_PRICES_MAX = 900
_FORECASTS_MAX = 1_000
_RECORDS_MAX = 400


class Overlapping(Exception):  # noqa: N818 - named by what is the case
    """Another run looks at the same target just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered: pings, the feed's newest records and closes, predictions, and the container's life.

    `seen_s` is the newest second of the feed that a run has judged.
    """

    pings: tuple[bool, ...] = ()
    records: Mapping[str, Record] = field(default_factory=dict)
    prices: Mapping[int, float] = field(default_factory=dict)
    forecasts: tuple[Forecast, ...] = ()
    seen_s: int = 0
    lifetime: Lifetime | None = None

    def with_records(self, rule: WindowRule, records: Iterable[Record]) -> State:
        """Return the state with what the feed gave now; the oldest is forgotten."""
        given = list(records)
        start = rule.named("start")
        kept = {**self.records, **{str(record.get(start)): record for record in given}}
        prices = dict(sorted({**self.prices, **closes(rule, given)}.items()))
        return replace(self, records=_newest(kept, _RECORDS_MAX), prices=_newest(prices, _PRICES_MAX))

    def with_forecasts(self, forecasts: Iterable[Forecast]) -> State:
        """Return the state with these predictions; the oldest are forgotten."""
        return replace(self, forecasts=tuple(forecasts)[-_FORECASTS_MAX:])

    def as_json(self) -> str:
        """Return the state as it is kept."""
        kept = {name: getattr(self, name) for name in self.__slots__}
        kept["forecasts"] = [asdict(forecast) for forecast in self.forecasts]
        kept["lifetime"] = asdict(self.lifetime) if self.lifetime else None
        return json.dumps({"schema": SCHEMA, **kept})

    @classmethod
    def from_json(cls, text: str) -> State:
        """Read a state that was kept. Raises ValueError, KeyError or TypeError where it was not."""
        kept: dict[str, Any] = json.loads(text)
        if kept.pop("schema") != SCHEMA:
            msg = "another schema"
            raise ValueError(msg)
        lifetime = kept.pop("lifetime")
        return cls(
            pings=tuple(kept.pop("pings")),
            prices={int(second): price for second, price in kept.pop("prices").items()},
            forecasts=tuple(Forecast(**one) for one in kept.pop("forecasts")),
            lifetime=Lifetime(**lifetime) if lifetime else None,
            **kept,
        )


def _newest(kept: Mapping[Any, Any], most: int) -> dict[Any, Any]:
    return dict(list(kept.items())[-most:])


class Shelf:
    """The file that keeps the state of one target, and the lock beside it."""

    def __init__(self, folder: Path, target: str) -> None:
        """Name the file after the target."""
        name = hashlib.sha256(target.encode()).hexdigest()[:12]
        self._path = folder / f"monitor-{name}.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock; raise `Overlapping` where another run holds it. The kernel frees that of a dead one."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Overlapping(str(self._path)) from error
            yield

    def read(self) -> State:
        """Return what was kept; nothing where there is none, or none that can be read: then the monitor begins anew."""
        try:
            return State.from_json(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return State()

    def write(self, state: State) -> None:
        """Keep a state. Raises OSError."""
        unfinished = self._path.with_suffix(".part")
        unfinished.write_text(state.as_json(), encoding="utf-8")
        unfinished.replace(self._path)
