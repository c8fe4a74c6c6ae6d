"""A locustfile: Locust's own fast users in a closed loop, each sending the next body as soon as it has its answer."""

from __future__ import annotations

import itertools
import os
import pickle
from pathlib import Path

from locust import FastHttpUser, constant, task

from tests.bench.contenders import BODIES_VARIABLE

_TURNS = itertools.cycle(pickle.loads(Path(os.environ[BODIES_VARIABLE]).read_bytes()))  # noqa: S301 - we wrote it


class Closed(FastHttpUser):
    """Sends and waits, without a pause."""

    wait_time = constant(0)

    @task
    def invoke(self) -> None:
        """Send one body."""
        kind, body = next(_TURNS)
        self.client.post("/invocations", data=body, headers={"Content-Type": kind, "Accept": "application/json"})
