"""The Docker daemon: installed and started where none runs, past what a killed one left behind."""

import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from docker.context import ContextAPI

from harness.system import NotSetUp, debian
from harness.system.command import last_lines, run

Say = Callable[[str], None]

LOOPBACK = "127.0.0.1"
_BY_NETWORK = frozenset({"tcp", "http", "https", "ssh"})
_DIAL_S = 5
_STARTED: list[subprocess.Popen[bytes]] = []  # kept: Python warns of a child that is forgotten while it runs


class EngineMissing(NotSetUp):
    """No Docker engine answers, and the message says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where this machine keeps what starting an engine touches; a test names places of its own."""

    address: str | None = None  # None: DOCKER_HOST, else the current docker context's
    os_release: Path = debian.OS_RELEASE
    systemd: Path = Path("/run/systemd/system")
    pid_files: tuple[tuple[Path, str], ...] = (
        (Path("/var/run/docker.pid"), "dockerd"),
        (Path("/var/run/docker/containerd/containerd.pid"), "containerd"),
    )
    containerd_socket: Path = Path("/run/containerd/containerd.sock")
    log: Path = Path("/var/log/inference-harness-dockerd.log")
    options: tuple[str, ...] = ()  # of dockerd

    @property
    def address_of_containers(self) -> str:
        """Where the ports of the engine's containers are published, so that this machine can reach them.

        That is the loopback address, and for an engine elsewhere the address that it has itself.
        """
        place = urlsplit(self.engine_address())
        if place.scheme not in _BY_NETWORK or not place.hostname:
            return LOOPBACK
        try:
            return socket.gethostbyname(place.hostname)
        except OSError as error:
            msg = f"The Docker engine's host {place.hostname!r} has no address ({error}): name another in DOCKER_HOST."
            raise EngineMissing(msg) from error

    def engine_address(self) -> str:
        """Name the engine's address: ours, the environment's or the current context's."""
        return self.address or os.environ.get("DOCKER_HOST") or str(ContextAPI.get_current_context().Host)


def install(say: Say) -> None:
    """Install the engine with apt; EngineMissing shows why that failed."""
    apparmor = Path("/sys/module/apparmor/parameters/enabled")
    # A kernel with AppArmor makes the engine load a profile for each container, with a program of this package.
    wanted = ("docker.io", "apparmor") if apparmor.is_file() and "Y" in apparmor.read_text() else ("docker.io",)
    try:
        debian.install(wanted, say)
    except debian.PackagesMissing as error:
        msg = f"No Docker engine answers, and none could be installed: {error}"
        raise EngineMissing(msg) from error


def start(machine: Machine, say: Say, budget_s: float) -> subprocess.Popen[bytes] | None:
    """Have a daemon started, and return its process where it is ours; EngineMissing where systemd refuses."""
    if machine.systemd.is_dir():
        say("starting the Docker engine with systemd")
        _systemctl_start(budget_s)
    elif is_on_its_way(machine):
        say("a Docker engine is on its way up; waiting for it")
    else:
        _sweep(machine)
        say(f"starting the Docker engine (its log: {machine.log})")
        return _launch(machine)
    return None


def is_on_its_way(machine: Machine) -> bool:
    """Tell whether a daemon lives, whether it answers yet or not."""
    return any(_runs(pid_file, name) for pid_file, name in machine.pid_files if name == "dockerd")


def _systemctl_start(budget_s: float) -> None:
    result = run(["systemctl", "start", "docker"], budget_s=budget_s)
    if result.returncode != 0:
        msg = f"`systemctl start docker` failed: {last_lines(result.stdout)} (`journalctl -u docker -n 30` says why)."
        raise EngineMissing(msg)


def _launch(machine: Machine) -> subprocess.Popen[bytes]:
    machine.log.parent.mkdir(parents=True, exist_ok=True)
    with machine.log.open("wb") as log:
        process = subprocess.Popen(
            ["dockerd", *machine.options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives us, and Ctrl-C
            cwd="/",
        )
    _STARTED.append(process)
    return process


def _sweep(machine: Machine) -> None:
    """Remove what a killed daemon left and a new one would trip over: pid files, and a socket without a listener."""
    for pid_file, name in machine.pid_files:
        if not _runs(pid_file, name):
            pid_file.unlink(missing_ok=True)
    if machine.containerd_socket.exists() and not _listens(machine.containerd_socket):
        machine.containerd_socket.unlink(missing_ok=True)


def _runs(pid_file: Path, name: str) -> bool:
    """Tell whether the process of a pid file lives and is the program named: pids come again, and zombies stay."""
    try:
        stat = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text()
    except (OSError, ValueError):
        return False
    command, _, rest = stat.partition("(")[2].rpartition(")")
    return command == name and rest.split()[0] not in {"Z", "X"}


def _listens(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_DIAL_S)
            door.connect(str(path))
    except ConnectionRefusedError:
        return False
    except OSError:
        return True  # not ours to judge
    return True


def end_of(log: Path) -> str:
    """Return the last lines of a daemon's log."""
    if not log.is_file():
        return "(no log)"
    return last_lines(log.read_text(encoding="utf-8", errors="replace"))
