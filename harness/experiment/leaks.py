"""C15: memory and open files while thousands of requests come, and whether they grow with them."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import Violation
from harness.contract.records import CONTENT_TYPES, content_type, encode
from harness.experiment.bait import Bait
from harness.system.client import Client, NoAnswer, Request
from harness.system.processes import OutOfReach, processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import Sut

_CLIENTS = 4
# Of the samples of a stretch the lowest counts: what is in use for a moment is no leak.
_STRETCHES = 10
# Student's t for a one-sided bound of 97.5 % with 8 degrees of freedom: ten stretches less two.
_T = 2.306
_LEAST_STRETCHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the container held after so many requests: bytes of all its processes, files that they had open."""

    requests: int
    memory_bytes: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Growth a request: the estimate and its two-sided 95 % interval."""

    estimate: float
    low: float
    high: float


def watch(sut: Sut, profile: Profile, series: Sequence[Second]) -> list[Sample]:
    """Send the profile's number of mixed requests, after as many to warm up as it says, and sample meanwhile.

    Raises `OutOfReach` where the container's processes cannot be seen, and `SutLost` where it went down.
    """
    chaos = profile.chaos
    requests, each = chaos.leak_requests, max(1, chaos.leak_requests // (_STRETCHES * 4))
    with ThreadPoolExecutor(_CLIENTS) as pool:
        senders = [_Sender(sut.url, profile, series) for _ in range(_CLIENTS)]

        def send(count: int) -> None:
            shares = [count // _CLIENTS + (number < count % _CLIENTS) for number in range(_CLIENTS)]
            list(pool.map(_Sender.send, senders, shares))
            sut.ensure_up()

        try:
            send(chaos.leak_warm_up)
            samples = [sample(sut, 0)]
            for sent in range(each, requests + 1, each):
                send(each)
                samples.append(sample(sut, sent))
        finally:
            for sender in senders:
                sender.client.close()
    return samples


def slope_of(points: Sequence[tuple[float, float]]) -> Slope:
    """Fit a line to the lowest point of each stretch; at least three stretches, as many points as there are."""
    size = max(1, len(points) // _STRETCHES)
    stretches = [points[begin : begin + size] for begin in range(0, len(points) - size + 1, size)][:_STRETCHES]
    lowest = [min(stretch, key=lambda point: point[1]) for stretch in stretches]
    if len(lowest) < _LEAST_STRETCHES:
        msg = f"{len(points)} samples are too few for a slope"
        raise ValueError(msg)
    mean_x, mean_y = (sum(point[axis] for point in lowest) / len(lowest) for axis in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in lowest)
    estimate = sum((x - mean_x) * (y - mean_y) for x, y in lowest) / spread
    misses = sum((y - mean_y - estimate * (x - mean_x)) ** 2 for x, y in lowest)
    margin: float = _T * (misses / (len(lowest) - 2) / spread) ** 0.5
    return Slope(estimate=estimate, low=estimate - margin, high=estimate + margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How something grew with the requests, beside how much it may."""

    what: str
    slope: Slope
    most: float

    @property
    def is_leak(self) -> bool:
        """Whether it certainly grows by more than it may."""
        return self.slope.low > self.most

    @property
    def is_doubtful(self) -> bool:
        """Whether it may or may not."""
        return self.slope.low <= self.most < self.slope.high

    def __str__(self) -> str:
        slope = self.slope
        return f"{slope.estimate:.3g} {self.what} a request (95 %: {slope.low:.3g} to {slope.high:.3g})"


def growths(samples: Sequence[Sample], profile: Profile) -> list[Growth]:
    """Judge memory and open files."""
    memory = slope_of([(sample.requests, sample.memory_bytes) for sample in samples])
    files = slope_of([(sample.requests, sample.files) for sample in samples])
    return [
        Growth(what="bytes", slope=memory, most=profile.chaos.leak_bytes),
        Growth(what="open files", slope=files, most=profile.chaos.leak_files),
    ]


def leaks(found: Sequence[Growth]) -> list[Violation]:
    """C15: name what certainly grows."""
    return [
        Violation(rule="C15", expected=f"at most {growth.most:g} {growth.what} more a request", actual=str(growth))
        for growth in found
        if growth.is_leak
    ]


class _Sender:
    """One client that sends good windows, JSON and CSV alike, invalid ones, and what no route takes."""

    def __init__(self, url: str, profile: Profile, series: Sequence[Second]) -> None:
        self.client = Client(url, profile)
        self._requests = self._mixed(profile, Bait(profile.window, series))

    def send(self, count: int) -> None:
        for request in itertools.islice(self._requests, count):
            try:
                self.client.send(request)
            except NoAnswer:
                continue  # other checks judge answers; here it only matters what is left behind

    def _mixed(self, profile: Profile, bait: Bait) -> Iterator[Request]:
        path, rule = profile.http.invocations_path, profile.window
        kind, table = ({"Content-Type": content_type(rule, codec)} for codec in CONTENT_TYPES)
        close = {"Connection": "close"}
        for turn in itertools.count():
            now = time.time()
            yield Request(method="POST", path=path, headers=kind, body=bait.good(now).body)
            yield Request(method="POST", path=path, headers=kind, body=bait.invalid(now).body)
            if (window := bait.good(now).window) is not None:
                yield Request(method="POST", path=path, headers={**table, **close}, body=encode(rule, window, "csv"))
            yield Request(method="POST", path=path, headers=kind, body=b'{"half')
            yield Request(method="GET", path=f"/no-such-path-{turn}", headers=close)


def sample(sut: Sut, requests: int) -> Sample:
    """Look at what the container holds after so many requests; raise `OutOfReach` where that cannot be seen."""
    processes = processes_of(sut)
    try:
        files = sum(process.files for process in processes)
    except PermissionError as error:
        msg = f"the open files of {sut.name} cannot be seen: it takes root on the machine of Docker"
        raise OutOfReach(msg) from error
    return Sample(requests=requests, memory_bytes=sum(process.memory_bytes for process in processes), files=files)
