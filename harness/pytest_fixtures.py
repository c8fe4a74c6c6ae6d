"""The fixtures: the container under test, its client, and windows to send."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violated, Violation
from harness.contract.levels import series_in
from harness.contract.records import Window, build, last_whole_second_ns
from harness.contract.vacuity import Tally
from harness.contract.witness import Witness
from harness.experiment.harm import Harmed, harmed
from harness.faults import faults_of
from harness.faults.fault import Choosy, Fitted
from harness.options import CHOICE
from harness.recorder import ENDED_BY, SUBJECT
from harness.system import NotSetUp
from harness.system.client import Client
from harness.system.container import CannotStart, Launch, NeverReady, Sut, SutLost
from harness.system.engine import ensure_engine
from harness.system.guard import Run, begin_run
from harness.system.history import read_history
from harness.system.image import ensure_named, find_image_id
from harness.system.patience import Patience
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.fault import Fault

PROFILE: pytest.StashKey[Profile] = pytest.StashKey()
SHARED_SUT: pytest.StashKey[Sut | None] = pytest.StashKey()
_SERIES_SECONDS = 3_600
_DAY_S = 86_400
_UNKNOWN = 2

__all__ = [
    "client",
    "fresh_client",
    "fresh_window",
    "inject",
    "own_sut",
    "patience",
    "profile",
    "report_dir",
    "seed",
    "series",
    "shared_sut",
    "sut",
    "sut_image",
    "sut_run",
    "sut_url",
    "tally",
    "window",
    "witness",
]


@pytest.fixture(scope="session")
def profile(request: pytest.FixtureRequest) -> Profile:
    """What the sut promises."""
    return request.config.stash[PROFILE]


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of all that is generated or chosen."""
    return request.config.stash[CHOICE].seed


@pytest.fixture(scope="session")
def report_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for records of this run."""
    chosen = request.config.stash[CHOICE].report_dir
    if chosen is None:
        return tmp_path_factory.mktemp("report")
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


@pytest.fixture(scope="session")
def series(request: pytest.FixtureRequest, profile: Profile, seed: int) -> Sequence[Second]:
    """The recorded series, or a generated one."""
    history = request.config.stash[CHOICE].history
    rule = profile.window
    return read_history(history, rule) if history else series_in(profile, seed=seed, seconds=_SERIES_SECONDS)


@pytest.fixture(scope="session")
def sut_run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """The run whose guard removes every container that a check starts, however the run ends."""
    with _or_end(request.config):
        ensure_engine(say=_say)
        run = begin_run()
    yield run
    run.end()


@pytest.fixture(scope="session")
def sut_image(request: pytest.FixtureRequest) -> str:
    """The image under test; the reference container's is built where it is missing."""
    with _or_end(request.config):
        name = ensure_named(request.config.stash[CHOICE].image, say=_say)
    request.config.stash[SUBJECT] = (name, find_image_id(name))
    return name


@pytest.fixture(scope="session")
def sut_url(request: pytest.FixtureRequest) -> str:
    """The base URL of the sut that the contract, dq and load suites share."""
    url = request.config.stash[CHOICE].url
    return url.rstrip("/") if url else request.getfixturevalue("shared_sut").url


@pytest.fixture(scope="session")
def shared_sut(request: pytest.FixtureRequest, sut_image: str, profile: Profile, sut_run: Run) -> Iterator[Sut]:
    """The container that the contract, dq and load suites share."""
    sut = Sut(sut_image, profile, sut_run)
    request.config.stash[SHARED_SUT] = sut
    see_first_ready(sut, request.session)
    yield sut
    request.config.stash[SHARED_SUT] = None
    sut.remove()


@pytest.fixture
def sut(request: pytest.FixtureRequest) -> Sut:
    """The container that most checks share: its state, its log, what Docker says of it. It must not be harmed."""
    if url := request.config.stash[CHOICE].url:
        pytest.skip(f"{url} is run by somebody else: its container cannot be seen")
    shared: Sut = request.getfixturevalue("shared_sut")
    return shared


@pytest.fixture(scope="module")
def own_sut(sut_image: str, profile: Profile, sut_run: Run) -> Iterator[Callable[..., Sut]]:
    """Start containers of one's own, removed at the end of the module; they are started, not yet ready."""
    started: list[Sut] = []

    def start(launch: Launch | None = None) -> Sut:
        sut = Sut(sut_image, profile, sut_run, launch=launch)
        started.append(sut)
        return sut.start()

    yield start
    for sut in started:
        sut.remove()


@pytest.fixture(scope="session")
def patience() -> Patience:
    """What all clients of the shared sut bear together where it has too much to do."""
    return Patience()


@pytest.fixture(scope="session")
def witness(profile: Profile) -> Witness:
    """Sees every answer of the shared sut."""
    return Witness(profile.refusals)


@pytest.fixture(scope="session")
def client(sut_url: str, profile: Profile, patience: Patience, witness: Witness) -> Iterator[Client]:
    """A client of the shared sut, with kept-alive connections."""
    shared = Client(sut_url, profile, patience=patience, tell=witness.see)
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def fresh_client(sut_url: str, profile: Profile, patience: Patience, witness: Witness) -> Callable[[], Client]:
    """Make a client of the shared sut; one a thread."""
    return lambda: Client(sut_url, profile, patience=patience, tell=witness.see)


@pytest.fixture(scope="session")
def fresh_window(profile: Profile, series: Sequence[Second], seed: int) -> Callable[[], Window]:
    """Make a good window that ends now, from another part of the series each time."""
    choose = random.Random(seed)  # noqa: S311 - a choice to repeat, no secret

    def make() -> Window:
        count = profile.window.records
        begin = choose.randrange(len(series) - count + 1)
        return build(profile.window, series[begin : begin + count], end_ns=last_whole_second_ns(time.time()))

    return make


@pytest.fixture
def window(fresh_window: Callable[[], Window]) -> Window:
    """A good window that ends now."""
    return fresh_window()


@pytest.fixture
def inject(request: pytest.FixtureRequest) -> Iterator[Callable[[str], AbstractContextManager[Harmed]]]:
    """Harm a container of one's own for the length of a block, by one of the chaos suite's faults.

    Called with a fault's name it makes a context. The container is ready when the fault strikes; at the end of the
    block the fault is reverted, and `client` of what the block was given may still be asked.
    """
    if url := request.config.stash[CHOICE].url:
        pytest.skip(f"{url} is run by somebody else: a remote endpoint is never harmed")
    profile: Profile = request.getfixturevalue("profile")
    own_sut: Callable[..., Sut] = request.getfixturevalue("own_sut")
    faults, struck = faults_of(profile, request.getfixturevalue("series")), list[Harmed]()

    def strike(name: str) -> AbstractContextManager[Harmed]:
        if name not in faults:
            msg = f"there is no fault {name!r}: there are {', '.join(faults)}"
            raise pytest.UsageError(msg)
        struck.append(Harmed(_fitted(faults[name], profile, own_sut)))
        return harmed(faults[name], struck[-1])

    yield strike
    for one in struck:
        one.close()


def _fitted(fault: Fault, profile: Profile, own_sut: Callable[..., Sut]) -> Sut:
    """Start a container that can meet a fault; the check is skipped where none can."""
    try:
        launch = fault.launch(profile) if isinstance(fault, Fitted) else None
    except OutOfReach as error:
        pytest.skip(f"{fault.name} does not apply: {error}")
    sut = own_sut(launch)
    _see_ready(sut)
    why_not = fault.why_not(sut) if isinstance(fault, Choosy) else None
    if why_not is not None:
        pytest.skip(f"{fault.name} does not apply: {why_not}")
    return sut


@pytest.fixture(scope="session")
def tally() -> Tally:
    """What the checks sent that was meant to be good, and what that broke a rule."""
    return Tally()


@contextmanager
def _or_end(config: pytest.Config) -> Iterator[None]:
    """End the run as UNKNOWN where what it stands on is missing: every check would say the same."""
    try:
        yield
    except (NotSetUp, CannotStart) as error:
        config.stash[ENDED_BY] = str(error)
        pytest.exit("nothing could be checked", returncode=_UNKNOWN)


def see_first_ready(sut: Sut, session: pytest.Session) -> None:
    """Start the run's first container and wait until it serves; where it does not, the run ends with its first check.

    Every other check would say the same: FAILED where it is for the image's sake, UNKNOWN where it is for ours.
    """
    with _or_end(session.config):
        try:
            _see_ready(sut, sut.start)
        except Violated:
            why = f"no container of {sut.image!r} serves: what else it promises was not looked at"
            session.config.stash[ENDED_BY] = session.shouldfail = why
            raise


def _see_ready(sut: Sut, begin: Callable[[], object] = lambda: None) -> None:
    """Wait for the sut; a sut that dies or never gets ready breaks its promises, and we know which."""
    try:
        begin()
        sut.wait_ready()
    except SutLost as error:
        raise Violated(
            [Violation(rule="C1", expected="the container to start and stay up", actual=str(error))]
        ) from error
    except NeverReady as error:
        raise Violated(_never_ready(error, sut.profile)) from error


def _never_ready(error: NeverReady, profile: Profile) -> list[Violation]:
    """Say which promises a container breaks that never got ready: it may not listen, or be too slow for a ping."""
    within = f"a ping of 200 within {profile.container.ready_s:g} s"
    broken = [Violation(rule="C4", expected=within, actual=str(error))]
    if error.failure is not None and error.failure.failure == "timed out":
        wanted = f"an answer to a ping within {profile.http.ping_s:g} s"
        broken.append(Violation(rule="C3", expected=wanted, actual=str(error.failure)))
    elif error.failure is not None:
        wanted = f"it listens on 0.0.0.0, port {profile.container.port}"
        broken.append(Violation(rule="C2", expected=wanted, actual=str(error.failure)))
    return broken


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - set-up speaks on the terminal
