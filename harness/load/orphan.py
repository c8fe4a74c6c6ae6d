"""A generator whose harness is gone, however it went, ends by itself; only for Locust's process."""

from __future__ import annotations

import os
from typing import Any

import gevent

_LOOKED_EVERY_S = 1.0


def end_with_parent(environment: Any) -> None:  # noqa: ANN401 - Locust ships no types
    """Watch, from now on, whether the process that started this one is still there."""
    gevent.spawn(_watch, environment, os.getppid())


def _watch(environment: Any, parent: int) -> None:  # noqa: ANN401 - likewise
    while os.getppid() == parent:
        gevent.sleep(_LOOKED_EVERY_S)
    environment.runner.quit()
    if environment.web_ui is not None:
        environment.web_ui.stop()
