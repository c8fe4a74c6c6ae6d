"""Days of runs, told to a Slack-like server by processes that are killed: what must be true of the channel."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.alerts.outbox import LEASE_S, WINDOW_S
from harness.alerts.slack_server import Fault, SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000.0
CHECKS = "abcd"
_TOLD = re.compile(r"^  [-✓] check-(\w)", re.MULTILINE)
_WELL = re.compile(r"^  ✓ check-(\w)", re.MULTILINE)
_LINE = re.compile(r"^Well again: check-(\w)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One run: seconds after the one before, and what fails in it; all else is well."""

    after_s: float
    failing: str


def story(seed: int) -> tuple[Tick, ...]:
    """Make up six runs over a day and more; the last leaves a mixed state."""
    rng = random.Random(seed)  # noqa: S311 - a story to repeat
    gaps_s = [0.0, 300.0, 300.0, 3_600.0, WINDOW_S + 1_000, 300.0]
    rng.shuffle(gaps_s)
    return tuple(
        Tick(after_s=gap_s, failing="".join(name for name in CHECKS if rng.random() < 0.5)) for gap_s in gaps_s
    )


@dataclass(slots=True)
class World:
    """The ledger, the server, the driver of the processes, and the time."""

    folder: Path
    slack: SlackServer
    driver: subprocess.Popen[str]
    is_run: bool
    now: float = NOW

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "ledger" / "ledger.sqlite3"

    def tell(self, tick: Tick, **end: float) -> dict[str, Any]:
        """Have a process tell of a run, and end it as told."""
        wish = {
            "ledger": str(self.ledger),
            "folder": str(self.folder),
            "base_url": self.slack.base_url,
            "now": self.now,
            "failing": tick.failing,
            "covered": CHECKS,
            "is_run": self.is_run,
            **end,
        }
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(json.dumps(wish) + "\n")
        self.driver.stdin.flush()
        answer: dict[str, Any] = json.loads(self.driver.stdout.readline())
        return answer

    def snapshot(self, name: str) -> Snapshot:
        """Keep how things stand."""
        kept = self.folder / name
        if self.ledger.parent.exists():
            shutil.copytree(self.ledger.parent, kept)
        return Snapshot(now=self.now, ledger=kept, posts=copy.deepcopy(self._posts))

    def restore(self, snapshot: Snapshot) -> None:
        """Have things stand as they stood."""
        shutil.rmtree(self.ledger.parent, ignore_errors=True)
        if snapshot.ledger.exists():
            shutil.copytree(snapshot.ledger, self.ledger.parent)
        self._posts[:] = copy.deepcopy(snapshot.posts)
        self.now = snapshot.now
        self.slack.clear()

    def upset(self, faults: Sequence[tuple[str, Fault]]) -> None:
        """Have the next calls of some methods meet faults."""
        for method, fault in faults:
            self.slack.inject(fault, method=method)

    @property
    def _posts(self) -> list[dict[str, Any]]:
        return self.slack.workspace.posts

    def told(self) -> Counter[str]:
        """Return how many messages told of each check."""
        return Counter(name for post in self.slack.posts for name in set(_TOLD.findall(post["text"])))

    def recoveries(self) -> Counter[str]:
        """Return how many lines told that a check is well again."""
        return Counter(name for line in self.slack.lines for name in _LINE.findall(line["text"]))

    def twice(self) -> list[str]:
        """Return what was told twice within the window, or in one thread."""
        found = []
        for name in CHECKS:
            times = [float(post["ts"]) for post in self.slack.posts if name in _TOLD.findall(post["text"])]
            found += [f"{name} again" for one, two in pairwise(times) if two - one < WINDOW_S - 1]
        threads = Counter(
            (line["thread_ts"], name) for line in self.slack.lines for name in _LINE.findall(line["text"])
        )
        return found + [f"{name} well twice" for (_, name), count in threads.items() if count > 1]

    def newest(self) -> dict[str, bool]:
        """Return what the newest message about each check says: whether it is well."""
        return {
            name: name in _WELL.findall(post["text"])
            for post in self.slack.posts
            for name in _TOLD.findall(post["text"])
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things stood."""

    now: float
    ledger: Path
    posts: list[dict[str, Any]]


@dataclass(slots=True)
class Rehearsal:
    """A story told without a crash: how things stood before each run, how many steps it took, and what came of it."""

    world: World
    ticks: tuple[Tick, ...]
    before: list[Snapshot] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    recoveries: Counter[str] = field(default_factory=Counter)

    def play(self) -> Self:
        """Tell the whole story once."""
        for place, tick in enumerate(self.ticks):
            self.world.now += tick.after_s
            self.before.append(self.world.snapshot(f"before-{place}"))
            self.steps.append(int(self.world.tell(tick)["steps"]))
        self.told, self.recoveries = self.world.told(), self.world.recoveries()
        return self

    def points(self) -> list[tuple[int, int]]:
        """Return every step of every run."""
        return [(place, step) for place, count in enumerate(self.steps) for step in range(1, count + 1)]

    def crash(self, place: int, **end: float) -> None:
        """Kill the process in one run; the next, after the lease, sees the same, and the story goes on."""
        self.world.restore(self.before[place])
        killed = self.world.tell(self.ticks[place], **end)["killed"]
        assert killed or "step" not in end, "the step was not reached"
        self.world.now += LEASE_S + 10
        self.world.tell(self.ticks[place])
        for tick in self.ticks[place + 1 :]:
            self.world.now += tick.after_s
            self.world.tell(tick)

    def assert_as_rehearsed(self, where: object) -> None:
        """Nothing is lost, nothing told twice, and every message says how things stand."""
        world, last = self.world, self.ticks[-1].failing
        assert world.twice() == [], where
        assert world.told() == self.told, where
        assert world.recoveries() == self.recoveries, where
        assert world.newest() == {name: name not in last for name in world.newest()}, where


@contextmanager
def rehearsed(folder: Path, seed: int) -> Iterator[Rehearsal]:
    """Give a story that was told once, with the world that it was told in."""
    with opened(folder, is_run=seed % 2 == 0) as world:
        yield Rehearsal(world, story(seed)).play()


@contextmanager
def opened(folder: Path, *, is_run: bool) -> Iterator[World]:
    """Give an empty world."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.proof.crash_driver"]
    with (
        (folder / "heard").open("w") as heard,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=heard, text=True, cwd=ROOT
        ) as driver,
    ):
        world: World
        with SlackServer(now=lambda: world.now) as slack:
            world = World(folder, slack, driver, is_run)
            yield world
        assert driver.stdin is not None
        driver.stdin.close()


FAULTS = (
    Fault(kind="drop after accept"),
    Fault(kind="drop before accept"),
    Fault(kind="status", status=503),
    Fault(kind="status", status=429, retry_after="0"),
)
_METHODS = ("chat.postMessage", "chat.update", "conversations.history", "conversations.replies")


def troubles(rng: random.Random) -> list[tuple[str, Fault]]:
    """Make up what goes wrong with Slack in one run."""
    return [(rng.choice(_METHODS), rng.choice(FAULTS)) for _ in range(rng.randrange(5))]
