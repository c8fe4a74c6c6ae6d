"""Verdicts of the harness on the seeded defects, judged side by side, and once more where a busy machine spoiled it."""

from __future__ import annotations

import json
import re
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.contract.profile import DEFAULT_PROFILE
from tests.detection.layers import FOLDERS, ROOT, Defect
from tests.detection.runner import run_pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# A defect on the wire keeps a core busy half of the time; one under faults, under load or at its start mostly waits.
LANES = {"wire": 2, "own": 3, "load": 2}
# What never comes, or always leaks, is waited for to the end: less patience, by the good container that was spoiled.
# Bad clients stay longer, because on a busy machine their harm takes its time.
IMPATIENCE: dict[str, dict[str, float]] = {
    "reference": {"recovery_s": 20, "stop_s": 10, "leak_requests": 1200, "leak_warm_up": 200, "traffic_s": 4},
    "plain": {
        "recovery_s": 12,
        "stop_s": 10,
        "ready_s": 30,
        "leak_requests": 1200,
        "leak_warm_up": 200,
        "traffic_s": 4,
    },
}
TIMES = ROOT / "reports" / "detection.json"
_BUDGET_S = 240.0
_SHOWN = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the harness said of one defect: the verdict, the rules that failed, the last lines, and how long it took."""

    verdict: str
    failed: frozenset[str]
    printed: str
    took_s: float

    def is_of(self, defect: Defect) -> bool:
        """Whether the defect was caught under each of its rules, and no other rule failed than those that may."""
        is_right = set(defect.rules) <= self.failed <= {*defect.rules, *defect.along}
        return self.verdict == "FAILED" and is_right


class Verdicts:
    """Judges defects in the background from the moment it is made; `judge` says how one is judged."""

    def __init__(self, judge: Callable[[Defect], Found], defects: Sequence[Defect]) -> None:
        self._judge, self.twice = judge, list[str]()
        self._lanes = {name: ThreadPoolExecutor(size) for name, size in LANES.items()}
        self._first: dict[str, Future[Found]] = {
            defect.name: self._lanes[_lane(defect)].submit(judge, defect) for defect in defects
        }

    def of(self, defect: Defect) -> Found:
        """Return the verdict on a defect.

        UNKNOWN speaks of the machine, which is busy here; so may any verdict on what a container does in time, and some
        defects show now and then. Once all others are judged, and it is quiet, the same question is put once more, to
        the same checks, and it is told of which defects that was necessary.
        """
        found = self._first[defect.name].result()
        if found.is_of(defect):
            return found
        wait(self._first.values())
        self.twice.append(defect.name)
        return self._judge(defect)

    def close(self) -> None:
        """Judge no more, and leave behind how long each defect took, in seconds: where the time of a run goes."""
        for lane in self._lanes.values():
            lane.shutdown(cancel_futures=True)
        ended = {name: found for name, found in self._first.items() if not found.cancelled() and not found.exception()}
        times = sorted(((round(found.result().took_s, 1), name) for name, found in ended.items()), reverse=True)
        TIMES.parent.mkdir(exist_ok=True)
        told = {"judged twice": self.twice, "took_s": {name: took_s for took_s, name in times}}
        TIMES.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def judge_at(sut: str, defect: Defect, *, whole: bool) -> Found:
    """Run the harness on a defect; `sut` is the option that names image or URL.

    `whole`: the whole suite, so that it shows whether rules fail which the defect does not touch. Else what it takes to
    catch it.
    """
    with tempfile.TemporaryDirectory(prefix=f"{defect.name}-") as name:
        return judge_suite([sut, *_options(defect, Path(name), whole=whole)], Path(name))


def judge_suite(options: Sequence[str], folder: Path) -> Found:
    """Run a suite, named last of the options, and return what it said; it leaves its report in a folder."""
    began_s, printed = time.monotonic(), folder / "printed.txt"
    folder.mkdir(parents=True, exist_ok=True)
    common = ["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", f"--sut-report-dir={folder}", "--sut-alerts=off"]
    run_pytest([*common, *options], output=printed, budget_s=_BUDGET_S)
    told = printed.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
    assert (folder / "verdict.json").exists(), told
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    return Found(
        verdict=found["verdict"],
        failed=frozenset(rule for rule, entry in found["rules"].items() if entry["outcome"] == "failed"),
        printed=told,
        took_s=time.monotonic() - began_s,
    )


def _options(defect: Defect, folder: Path, *, whole: bool) -> list[str]:
    options = [f"--sut-effort={defect.effort}"]
    if _lane(defect) == "own":
        options.append(f"--sut-profile={_impatient_profile(folder, IMPATIENCE[defect.base])}")
    if defect.select:
        options += ["-k", defect.select]
    if not whole and defect.suite in ("contract", "dq"):
        options += _no_more_than_it_takes(defect)
    return [*options, f"{FOLDERS[defect.suite]}/{defect.file}".rstrip("/")]


def _no_more_than_it_takes(defect: Defect) -> list[str]:
    """Ask only the checks for the rules that it breaks, and end with the first that fails where no other rule may."""
    narrow = [] if defect.file or defect.select else [f"--sut-rules={','.join(defect.rules)}"]
    return [*narrow, "-x"] if len(defect.rules) == 1 and not defect.along else narrow


def _impatient_profile(folder: Path, patience: Mapping[str, float]) -> Path:
    """Write the default profile with other numbers in some places."""
    text = DEFAULT_PROFILE.read_text(encoding="utf-8")
    for key, number in patience.items():
        text, places = re.subn(rf"(?m)^{key} = \S+", f"{key} = {number:g}", text)
        assert places == 1, key
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _lane(defect: Defect) -> str:
    if defect.suite == "load":
        return "load"
    return "wire" if defect.place in ("wire", "front") and defect.suite != "chaos" else "own"
