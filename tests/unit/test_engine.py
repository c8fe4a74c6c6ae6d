"""The engine's door: what answers is used, what a killed daemon left is swept, what cannot be started is told."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.system import daemon
from harness.system.engine import EngineMissing, Machine, ensure_engine, reach

# Answers on a socket as an engine does, or dies, as its first argument says.
DAEMON = """#!{python}
import http.server, json, os, socketserver, sys, time
_, fate, place = sys.argv
if fate == "late":
    time.sleep(1)
if fate == "die":
    sys.exit("failed to start daemon: Devices cgroup isn't mounted")
ANSWERS = {{"version": {{"ApiVersion": "1.41", "MinAPIVersion": "1.24"}},
           "info": {{"ServerVersion": "20.10.0", "CgroupVersion": "2", "Architecture": "x86_64",
                    "DockerRootDir": "/nowhere", "NCPU": 2, "MemTotal": 1}}}}
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(ANSWERS[self.path.rsplit("/", 1)[1]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def address_string(self):
        return ""
    def log_message(self, *words):
        pass
if os.path.exists(place):
    os.unlink(place)
socketserver.ThreadingUnixStreamServer(place, Door).serve_forever()
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Give a Debian of our own, on which we are root, apt exists and `dockerd` is a small program of this test's."""
    (tmp_path / "os-release").write_text('ID="child"\nID_LIKE="debian"\n')
    for name, text in (("dockerd", DAEMON.format(python=sys.executable)), ("apt-get", "#!/bin/sh\nexit 1\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    yield Machine(
        address=f"unix://{tmp_path}/docker.sock",
        os_release=tmp_path / "os-release",
        systemd=tmp_path / "no-systemd",
        pid_files=((tmp_path / "docker.pid", "dockerd"), (tmp_path / "containerd.pid", "containerd")),
        containerd_socket=tmp_path / "containerd.sock",
        log=tmp_path / "log" / "dockerd.log",
        options=("live", f"{tmp_path}/docker.sock"),
    )
    while daemon._STARTED:  # noqa: SLF001 - what this test started, it ends
        process = daemon._STARTED.pop()  # noqa: SLF001
        process.kill()
        process.wait()


def but(machine: Machine, **changes: object) -> Machine:
    fields = {name: getattr(machine, name) for name in Machine.__slots__}
    return Machine(**(fields | changes))


def test_an_engine_that_does_not_answer_is_started(machine: Machine) -> None:
    said: list[str] = []
    started = ensure_engine(say=said.append, budget_s=20, machine=machine)
    assert (started.server_version, started.api_version, started.cgroup_version) == ("20.10.0", "1.41", 2)
    assert any("starting" in line for line in said)
    started.client.close()


def test_an_engine_that_answers_is_used_and_none_is_started(machine: Machine) -> None:
    ensure_engine(say=print, budget_s=20, machine=machine).client.close()
    said: list[str] = []
    ensure_engine(say=said.append, machine=machine).client.close()
    assert said == []


def test_an_engine_that_dies_shows_its_last_log_lines(machine: Machine) -> None:
    with pytest.raises(EngineMissing, match="Devices cgroup isn't mounted"):
        ensure_engine(say=print, budget_s=20, machine=but(machine, options=("die", "nowhere")))


def test_an_engine_that_stays_silent_is_given_up_at_its_budget(machine: Machine, tmp_path: Path) -> None:
    elsewhere = but(machine, options=("live", f"{tmp_path}/another.sock"))
    with pytest.raises(EngineMissing, match="within 1 s"):
        ensure_engine(say=print, budget_s=1, machine=elsewhere)


def test_no_engine_is_started_where_docker_host_names_one(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(EngineMissing, match=r"/nowhere/docker.sock.*No such file"):
        ensure_engine(say=pytest.fail, machine=but(machine, address=None))


def test_no_engine_is_started_on_another_distribution(machine: Machine) -> None:
    machine.os_release.write_text("ID=fedora\n")
    with pytest.raises(EngineMissing, match="systemctl start docker"):
        ensure_engine(say=pytest.fail, machine=machine)


def test_no_engine_is_started_by_a_common_user(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EngineMissing, match=r"apt-get install docker\.io"):
        ensure_engine(say=pytest.fail, machine=machine)


def test_an_engine_that_cannot_be_installed_shows_what_apt_said(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dockerd").unlink()
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho Unable to locate package\nexit 100\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="Unable to locate package"):
        ensure_engine(say=print, machine=machine)


def test_a_socket_that_refuses_this_user_is_told_as_such(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: object, _address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refuse)
    with pytest.raises(EngineMissing, match="usermod -aG docker"):
        reach(machine)


@pytest.mark.parametrize("left_over", ["99999999", "not a number", str(os.getpid())], ids=["gone", "broken", "another"])
def test_a_pid_file_whose_process_is_no_daemon_is_swept(machine: Machine, left_over: str) -> None:
    for pid_file, _ in machine.pid_files:
        pid_file.write_text(left_over)
    ensure_engine(say=print, budget_s=20, machine=machine).client.close()
    assert not any(pid_file.exists() for pid_file, _ in machine.pid_files)


def test_a_socket_without_a_listener_is_swept(machine: Machine) -> None:
    program = f"import socket; socket.socket(socket.AF_UNIX).bind({str(machine.containerd_socket)!r})"
    subprocess.run([sys.executable, "-c", program], check=True)
    ensure_engine(say=print, budget_s=20, machine=machine).client.close()
    assert not machine.containerd_socket.exists()


def test_a_daemon_on_its_way_up_is_waited_for_and_not_doubled(machine: Machine, tmp_path: Path) -> None:
    said: list[str] = []
    with subprocess.Popen([tmp_path / "dockerd", "late", tmp_path / "docker.sock"]) as process:
        (tmp_path / "docker.pid").write_text(str(process.pid))
        ensure_engine(say=said.append, budget_s=20, machine=machine).client.close()
        process.kill()
    assert [line.partition(";")[0] for line in said] == ["a Docker engine is on its way up"]
    assert not machine.log.exists()
