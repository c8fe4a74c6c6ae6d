"""The Docker engine: the one that answers, or one that we install and start."""

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException

from harness.system import daemon, debian
from harness.system.daemon import EngineMissing, Machine, Say
from harness.system.waiting import WaitedInVain, wait_for

__all__ = ["Engine", "EngineMissing", "Machine", "Say", "connect", "ensure_engine", "reach"]

_PROBE_S = 5
_PAUSE_S = 0.2
_USUAL = ("unix:///var/run/docker.sock", "npipe:////./pipe/docker_engine")
_BY_TCP, _PORT = frozenset({"tcp", "http", "https"}), 2375


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A Docker engine that answers."""

    client: docker.DockerClient
    address: str
    server_version: str
    api_version: str
    cgroup_version: int
    architecture: str  # as `uname -m` has it
    storage: Path
    cores: int
    memory_bytes: int


_HERE = Machine()


def connect(address: str, *, timeout_s: float = 60) -> docker.DockerClient:
    """Open a client that gives an answer's next byte `timeout_s`; DockerException where no engine answers."""
    if address == os.environ.get("DOCKER_HOST"):
        return docker.from_env(timeout=int(timeout_s))  # with the certificates that the environment names
    return docker.DockerClient(base_url=address, timeout=int(timeout_s))


def reach(machine: Machine = _HERE) -> Engine:
    """Return the engine that answers now, and start none; EngineMissing says in one sentence why none does."""
    address = machine.engine_address()
    _knock(address)
    try:
        found = _examined(address)
    except (DockerException, OSError) as error:
        msg = f"The Docker engine at {address} does not answer ({error}): start it, or name another in DOCKER_HOST."
        raise EngineMissing(msg) from error
    if machine.address is None and address not in _USUAL:
        # That of a docker context: Docker's library and our own processes look for it here alone.
        os.environ["DOCKER_HOST"] = address
    return found


def ensure_engine(*, say: Say, budget_s: float = 90, machine: Machine = _HERE) -> Engine:
    """Return the engine that answers; where none does, and we may, install and start one within `budget_s`.

    EngineMissing: none answers and it is not ours to start one, or it did not start (with its last log lines).
    """
    try:
        return reach(machine)
    except EngineMissing as missing:
        if not _may_start(machine, missing):
            raise
    if shutil.which("dockerd") is None:
        daemon.install(say)
    return _wait(machine, daemon.start(machine, say, budget_s), budget_s)


def clock_ahead_s(engine: Engine) -> float:
    """Return how many seconds the engine's clock, which its containers share, is ahead of ours; to some hundredths."""
    began_s = time.time()
    told = datetime.fromisoformat(str(engine.client.info()["SystemTime"]))
    return told.timestamp() - (began_s + time.time()) / 2


def _knock(address: str) -> None:
    """See that somebody listens at an address; an engine of another kind than these is asked without."""
    place = urlsplit(address)
    door: socket.socket | None = None
    try:
        if place.scheme == "unix":
            door = socket.socket(socket.AF_UNIX)
            door.settimeout(_PROBE_S)
            door.connect(address.removeprefix("unix://"))
        elif place.scheme in _BY_TCP and place.hostname:
            door = socket.create_connection((place.hostname, place.port or _PORT), timeout=_PROBE_S)
    except PermissionError as error:
        msg = (
            f"The Docker engine's socket {address.removeprefix('unix://')} refuses this user: "
            "run `sudo usermod -aG docker $USER` and log in again, or use sudo."
        )
        raise EngineMissing(msg) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise EngineMissing(_nobody(address, str(why))) from error
    finally:
        if door is not None:
            door.close()


def _nobody(address: str, why: str) -> str:
    at = f"No Docker engine answers at {address.removeprefix('unix://')} ({why}):"
    if "DOCKER_HOST" in os.environ:
        return f"{at} DOCKER_HOST names it: start it, name another there, or `unset DOCKER_HOST` for this machine's."
    return (
        f"{at} start it (`sudo systemctl start docker`), install it (`sudo apt-get install docker.io`), "
        "or name another in DOCKER_HOST."
    )


def _examined(address: str) -> Engine:
    with_patience = connect(address)
    hasty = connect(address, timeout_s=_PROBE_S)  # an engine that hangs must not hang us
    try:
        facts = hasty.info()
        api_version = str(hasty.version()["ApiVersion"])
    finally:
        hasty.close()
    return Engine(
        client=with_patience,
        address=address,
        server_version=str(facts["ServerVersion"]),
        api_version=api_version,
        cgroup_version=int(facts.get("CgroupVersion") or 1),
        architecture=str(facts["Architecture"]),
        storage=Path(facts["DockerRootDir"]),
        cores=int(facts["NCPU"]),
        memory_bytes=int(facts["MemTotal"]),
    )


def _may_start(machine: Machine, missing: EngineMissing) -> bool:
    somebody_elses = "DOCKER_HOST" in os.environ or isinstance(missing.__cause__, PermissionError)
    return not somebody_elses and debian.is_root() and debian.has_apt(machine.os_release)


def _wait(machine: Machine, process: subprocess.Popen[bytes] | None, budget_s: float) -> Engine:
    def look() -> Engine | None:
        ended = process is not None and process.poll() is not None  # asked first: one that answers now is good
        try:
            return reach(machine)
        except EngineMissing as missing:
            if not ended or daemon.is_on_its_way(machine):
                return None
            msg = f"The Docker engine did not start; the end of {machine.log}:\n{daemon.end_of(machine.log)}"
            raise EngineMissing(msg) from missing

    try:
        return wait_for(look, subject="the Docker engine", budget_s=budget_s, pause_s=_PAUSE_S)
    except WaitedInVain as in_vain:
        end = daemon.end_of(machine.log)
        msg = f"The Docker engine did not answer within {budget_s:g} s; the end of {machine.log}:\n{end}"
        raise EngineMissing(msg) from in_vain
