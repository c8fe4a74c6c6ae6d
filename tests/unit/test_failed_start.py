"""A container that does not become ready is told of in one sentence with a way out, and ends the run."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.contract.profile import load_profile
from harness.system import failed_start
from harness.system.container import State, default_launch
from harness.system.image import ImageForeign
from tests.unit.stub_engine import answering

if TYPE_CHECKING:
    from harness.system.container import Sut

pytest_plugins = ["pytester"]

PROFILE = load_profile()
LAUNCH = default_launch(PROFILE)
NOWHERE = 1 << 30  # no process has this number
EXITED = State(status="exited", exit_code=3, oom_killed=False, restarts=0)
# As the kernel writes them: a connection to 8080, then what listens.
HEAD = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 0100007F:D431 01 00000000:00000000\n"
ANYWHERE_5000 = HEAD + "   1: 00000000:1388 00000000:0000 0A 00000000:00000000\n"
ANYWHERE_8080 = HEAD + "   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000\n"
LOOPBACK_8080 = HEAD + "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n"
LOOPBACK_6_8080 = HEAD + "   1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 000\n"
RESOLVER = HEAD + "   1: 0B00007F:A0B1 00000000:0000 0A 00000000:00000000\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A container of an engine elsewhere: what is known of it is what `cat` in it says, its state and its log."""

    sockets: str = ""
    log: str = "ERROR: MODEL_DIR is not set"
    found: State = EXITED
    image: str = "team/price"
    profile: Any = PROFILE
    launch: Any = LAUNCH
    port: int = PROFILE.container.port

    @property
    def container(self) -> SimpleNamespace:
        """Docker's handle."""
        output = SimpleNamespace(output=self.sockets.encode())
        attrs = {"State": {"Pid": NOWHERE}}
        return SimpleNamespace(attrs=attrs, id="0123abcd", reload=lambda: None, exec_run=lambda _: output)

    def state(self) -> State:
        """Say what became of it."""
        return self.found

    def story(self) -> str:
        """Say it in lines."""
        return f"container c of {self.image!r} is exited, exit code 3; last log lines:\n{self.log}"


def silent(last: str = "no answer", **of: Any) -> str:  # noqa: ANN401 - the fields of Failed
    return failed_start.silent(cast("Sut", Failed(**of)), last)


def ended(**of: Any) -> str:  # noqa: ANN401 - likewise
    return failed_start.ended(cast("Sut", Failed(**of)))


def refused(why: str) -> str:
    return failed_start.refused(cast("Sut", Failed()), why)


@pytest.mark.parametrize(
    ("last", "sockets", "says"),
    [
        ("closed", ANYWHERE_5000, "listens on port 5000, and on 8080 the profile expects it: write its port into"),
        ("closed", LOOPBACK_8080, "listens on port 8080 of the loopback address alone: have it listen on 0.0.0.0"),
        ("closed", LOOPBACK_6_8080, "listens on port 8080 of the loopback address alone: have it listen on 0.0.0.0"),
        ("404 to a ping", ANYWHERE_8080, "knows no GET /ping: write its route into the profile (`ping_path`"),
        ("503 to a ping", ANYWHERE_8080, ""),
        ("closed", HEAD, ""),
        ("closed", RESOLVER, ""),
    ],
)
def test_it_is_said_where_it_listens(last: str, sockets: str, says: str) -> None:
    told = silent(last, sockets=sockets)
    assert says in told
    assert bool(says) == bool(told)


def test_what_lies_between_is_named_where_the_engine_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2376")
    assert "engine at tcp://192.0.2.7:2376 publishes ports at 192.0.2.7" in silent()
    told = refused("Error starting userland proxy: listen tcp4 192.0.2.7:32777: bind: cannot assign requested address")
    assert "cannot publish ports at 192.0.2.7" in told
    assert "run the harness there, or name another address of it in DOCKER_HOST (Error starting" in told


def test_what_exits_shows_its_log_and_how_to_repeat_it() -> None:
    head, _, log = ended().partition("; last log lines:\n")
    assert "exit code 3, before it was ready; `docker run --rm team/price serve` must keep running" in head
    assert log == "ERROR: MODEL_DIR is not set"
    assert "`chaos.memory_mb` grants it 1024 MiB" in ended(found=replace(EXITED, oom_killed=True))


@pytest.mark.parametrize("why", ['exec: "serve": executable file not found in $PATH', "No command specified"])
def test_what_has_nothing_to_run_is_the_images_fault(why: str) -> None:
    assert failed_start.is_of_image(why)
    assert "started with the arguments ['serve']: the profile's `arguments` in `[container]`" in refused(why)


def test_what_docker_refuses_for_its_own_reasons_is_not() -> None:
    assert not failed_start.is_of_image("no space left on device")
    assert refused("no space left on device").endswith("can be started: no space left on device")


@pytest.mark.parametrize("architecture", ["arm64", "amd64"])
def test_program_for_another_machine(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    why = "exec /serve: exec format error"
    with answering({"/images/team/price/json": {"Os": "linux", "Architecture": architecture}}) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        if architecture == "amd64":
            assert "a script begins with `#!`" in ended(log=why)
            return
        with pytest.raises(ImageForeign, match="built for linux/arm64"):
            ended(log=why)
        with pytest.raises(ImageForeign, match="built for linux/arm64"):
            refused(why)


CHECKS = """
    import pytest
    from harness.pytest_fixtures import see_first_ready
    from harness.system.container import SutLost

    class Dead:
        image = "team/price"
        def start(self):
            raise SutLost("container c of 'team/price' is exited, exit code 3; last log lines:\\nno MODEL_DIR")

    @pytest.fixture(scope="session")
    def dead(request):
        see_first_ready(Dead(), request.session)

    @pytest.mark.contract
    @pytest.mark.rule("C2")
    @pytest.mark.parametrize("which", range(50))
    def test_it(which, NEEDS): pass
"""


def test_image_that_never_serves_fails_once_and_ends_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CHECKS.replace("NEEDS", "dead"))
    ended = pytester.runpytest_inprocess("--sut-report-dir=report", "--sut-alerts=off")
    assert ended.ret == 1
    ended.assert_outcomes(failed=1)
    verdict = json.loads((pytester.path / "report" / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["rules"]["C1"]["outcome"]) == ("FAILED", "failed")
    assert "no container of 'team/price' serves" in verdict["reason"]
    text = ended.stdout.str()
    assert "no MODEL_DIR" in text
    assert "def start" not in text
    assert len(text.splitlines()) < 45


def test_what_the_run_stands_on_ends_it_as_unknown(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    pytester.makepyfile(CHECKS.replace("NEEDS", "sut_url"))
    ended = pytester.runpytest_inprocess("--sut-report-dir=report", "--sut-alerts=off", "--sut-image=team/price")
    assert ended.ret == 2
    verdict = json.loads((pytester.path / "report" / "verdict.json").read_text())
    assert verdict["verdict"] == "UNKNOWN"
    assert verdict["reason"].startswith("No Docker engine answers at /nowhere/docker.sock")
    text = ended.stdout.str()
    assert text.count(verdict["reason"]) == 1
    assert "Error" not in text
    assert len(text.splitlines()) < 20
