"""`harness monitor`: looks at a service that somebody else runs, every few minutes or once, and tells what is wrong."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from harness.alerts import Desk, default_ledger_path
from harness.alerts.database import state_folder
from harness.alerts.monitor.feed import FeedUnknown, open_feed
from harness.alerts.monitor.look import Scene
from harness.alerts.monitor.sight import Subject
from harness.alerts.monitor.state import Overlapping, Shelf
from harness.alerts.monitor.watch import Watch
from harness.alerts.retry import Budget
from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid
from harness.system.client import Client
from harness.system.waiting import WallClock
from harness.system.watched import Watched

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.contract.profile import Profile

    Say = Callable[[str], None]

_UNKNOWN, _WRONG_USAGE = 2, 4
_TELLING_S = 60.0  # a look every few minutes leaves Slack more time than the end of a test run does


def run_monitor(chosen: argparse.Namespace, say: Say = print) -> int:
    """Look once, and return 0 where all is well, 1 where something is wrong, 2 where nobody can tell; or never end."""
    try:
        profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
        watch = _watch(chosen, profile, say)
    except (ProfileInvalid, FeedUnknown) as error:
        say(f"harness: {error}")
        return _WRONG_USAGE
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        if chosen.once:
            return watch.once().exit_status
        watch.forever()
    except Overlapping:
        say(f"another run of the monitor looks at {watch.subject.target} just now: nothing was looked at")
        return _UNKNOWN
    except KeyboardInterrupt:
        return 0


def _watch(chosen: argparse.Namespace, profile: Profile, say: Say) -> Watch:
    target = chosen.sut_url or chosen.sut_container
    clock = WallClock()
    desk = Desk(
        ledger_path=chosen.sut_ledger or default_ledger_path(os.environ),
        environ=os.environ,
        say=say,
        mode=chosen.sut_alerts,
        settings=profile.alerts,
        clock=clock,
        budget=Budget(total_s=_TELLING_S),
    )
    scene = Scene(
        profile=profile,
        clock=clock,
        connect=lambda url: Client(url, profile),
        url=chosen.sut_url,
        watch=Watched(chosen.sut_container, port=profile.container.port) if chosen.sut_container else None,
        feed=open_feed(chosen.feed, profile.window) if chosen.feed else None,
        second=open_feed(chosen.second_feed, profile.window) if chosen.second_feed else None,
    )
    keys = profile.alerts.notification_deduping_row_keys
    return Watch(
        scene=scene,
        subject=Subject(target=target, variant=chosen.variant, row_keys=keys),
        desk=desk,
        shelf=Shelf(state_folder(os.environ), f"{target} {chosen.variant}"),
        say=desk.discreet().say,
    )
