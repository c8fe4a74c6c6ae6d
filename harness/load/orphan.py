"""A generator whose harness is gone, however it went, ends by itself; only for Locust's process."""

from __future__ import annotations

import os
import signal

import gevent

from harness.load.plan import PARENT_VARIABLE

_LOOKED_EVERY_S = 1.0


def end_with_parent() -> None:
    """Watch, from now on, whether the process that started this one is still there: a worker may long await a master.

    Locust ends a run in order at SIGTERM; where it has not begun one, it ends at once.
    """
    gevent.spawn(_watch, int(os.environ[PARENT_VARIABLE]))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        gevent.sleep(_LOOKED_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
