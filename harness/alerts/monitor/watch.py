"""The watch: looks, tells, remembers, and looks again some minutes later, alone on its target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from harness.alerts.alert import Headline
from harness.alerts.announce import announce
from harness.alerts.entry import moment
from harness.alerts.monitor.look import Look
from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.alerts.desk import Desk
    from harness.alerts.monitor.look import Scene
    from harness.alerts.monitor.sight import Sight, Subject
    from harness.alerts.monitor.state import Shelf

_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One target under watch."""

    scene: Scene
    subject: Subject
    desk: Desk
    shelf: Shelf
    say: Callable[[str], None]

    def once(self) -> Verdict:
        """Look once. Raises Overlapping where another run does so just now."""
        with self.shelf.alone():
            return self._look()

    def forever(self) -> NoReturn:
        """Look every so many minutes, and never stop. Raises Overlapping."""
        clock, period_s = self.scene.clock, self.scene.profile.alerts.execution_frequency_minutes * 60
        with self.shelf.alone():
            began_s = clock.monotonic()
            while True:
                self._look()
                passed_s = clock.monotonic() - began_s
                # A look that took longer than the period leaves out what it missed.
                clock.sleep((math.floor(passed_s / period_s) + 1) * period_s - passed_s)

    def _look(self) -> Verdict:
        sight, state = Look(scene=self.scene, state=self.shelf.read()).run()
        now = self.scene.clock.now()
        headline = Headline(verdict="FAILED", target=self.subject.target, profile=self.scene.profile.name, at=now)
        self.say(_line(now, sight))
        # Told before it is remembered: a run that is killed in between sees it again, and tells it no second time.
        announce(sight.observation(self.subject), headline, self.desk)
        try:
            self.shelf.write(state)
        except OSError as error:
            self.say(f"the monitor's state cannot be kept ({error}): the next run begins anew")
        return sight.verdict


def _line(now: float, sight: Sight) -> str:
    wrong = [f"{finding.check.name}: {finding.evidence}"[:_SHOWN] for finding in sight.findings]
    unclear = [f"unclear: {doubt}"[:_SHOWN] for doubt in sight.doubts]
    well = f"{len(sight.covered)} checks" if sight.verdict is Verdict.PASSED else ""
    return f"{moment(now)}  {sight.verdict.value:<8}{'; '.join([*wrong, *unclear]) or well}"
