"""What every way to load has in common: the sut, what it promises, windows to send, and how to speak."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.load.run import Crew, measure, plan_of
from harness.report.progress_line import ProgressLine
from harness.system.container import Sut
from harness.system.guard import begin_run
from harness.system.history import read_history
from harness.system.image import ensure_named

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.load.plan import Plan
    from harness.load.record import LoadRecord

    Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What was asked for on the command line, as far as it can be read before anything is started."""

    chosen: argparse.Namespace
    profile: Profile
    series: Sequence[Second] | None

    @property
    def crew(self) -> Crew | None:
        """The workers that send the load; None where this machine does it alone."""
        chosen = self.chosen
        if not chosen.master:
            return None
        return Crew(workers=chosen.expect_workers, host=chosen.master_host, port=chosen.master_port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A sut that is ready, and all that is needed to load it; `sut` is None where it is somebody else's."""

    asked: Promise
    url: str
    sut: Sut | None
    say: Say
    line: ProgressLine

    def plan(self, *, duration_s: float | None, lap_s: float = 0.0) -> Plan:
        """Return a plan at the rate that was asked for."""
        chosen = self.asked.chosen
        return plan_of(
            self.url,
            self.asked.profile,
            seed=chosen.seed,
            series=self.asked.series,
            rate_per_s=chosen.rate,
            duration_s=duration_s,
            lap_s=lap_s,
        )

    def measure(self, folder: Path, *, rate_per_s: float | None, duration_s: float | None) -> LoadRecord:
        """Measure one rate, with its files in a folder."""
        try:
            return measure(
                self.url,
                self.asked.profile,
                report_dir=folder,
                seed=self.asked.chosen.seed,
                series=self.asked.series,
                rate_per_s=rate_per_s,
                duration_s=duration_s,
                crew=self.asked.crew,
                watch=self.line.show,
            )
        finally:
            self.line.clear()


def read_promise(chosen: argparse.Namespace) -> Promise:
    """Read profile and history; raise `ProfileInvalid`, `HistoryInvalid` or `OSError` where they cannot be."""
    profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
    series = read_history(chosen.sut_history, profile.window) if chosen.sut_history else None
    return Promise(chosen=chosen, profile=profile, series=series)


@contextmanager
def opened(asked: Promise, say: Say) -> Iterator[Setting]:
    """Give a sut that is ready: the one that was named, or a container which lives as long as this."""
    line = ProgressLine()
    if asked.chosen.sut_url:
        yield Setting(asked=asked, url=asked.chosen.sut_url, sut=None, say=say, line=line)
        return
    image = ensure_named(asked.chosen.sut_image, say=say)
    run = begin_run()
    try:
        sut = Sut(image, asked.profile, run).start()
        say(f"{image}: ready after {sut.wait_ready():.1f} s")
        yield Setting(asked=asked, url=sut.url, sut=sut, say=say, line=line)
    finally:
        run.end()
