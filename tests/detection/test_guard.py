"""However a run ends, none of its containers outlives it, and no stranger's is touched."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import docker
import docker.errors
import pytest

from harness.system.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from harness.system.container import Sut

pytestmark = pytest.mark.detection

RUN = """
import sys, time
from harness.contract.profile import load_profile
from harness.system.container import Sut
from harness.system.guard import begin_run
run = begin_run()
print(Sut(sys.argv[1], load_profile(), run).start().name, flush=True)
if sys.argv[2] == "end":
    run.end()
else:
    time.sleep(60)
"""


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture
def stranger(engine: docker.DockerClient, sut_image: str) -> Iterator[Container]:
    """Create somebody else's container of the same image."""
    container = engine.containers.create(sut_image)
    yield container
    container.remove(force=True)


@pytest.mark.parametrize("how", ["end", signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_no_container_outlives_its_run(
    engine: docker.DockerClient, stranger: Container, sut_image: str, how: str | signal.Signals
) -> None:
    command = [sys.executable, "-c", RUN, sut_image, str(how)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        name = harness.stdout.readline().strip()
        assert name
        if isinstance(how, signal.Signals):
            harness.send_signal(how)
    wait_for(lambda: _is_gone(engine, name), subject=f"{name} to be removed", budget_s=15)
    stranger.reload()


def test_ports_are_published_on_the_loopback_address(shared_sut: Sut) -> None:
    shared_sut.container.reload()
    published = shared_sut.container.attrs["NetworkSettings"]["Ports"]
    assert {binding["HostIp"] for bindings in published.values() for binding in bindings or ()} == {"127.0.0.1"}


def _is_gone(engine: docker.DockerClient, name: str) -> bool | None:
    try:
        engine.containers.get(name)
    except docker.errors.NotFound:
        return True
    return None
