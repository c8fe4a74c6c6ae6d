"""The verdicts on the seeded defects, judged in the background while other proofs run."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import docker
import pytest

from harness.contract.profile import load_profile
from harness.system.base_image import ensure_base_image
from harness.system.container import Launch, Sut
from harness.system.engine import ensure_engine
from tests.detection.fronts import start_front
from tests.detection.layers import Defect, lay_over, layer_of, layer_of_all, read_defects
from tests.detection.plain import build_plain_image
from tests.detection.verdicts import Found, Verdicts, judge_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.system.guard import Run

Bases = dict[str, str]
WHOLE = os.environ.get("PROOF_DETECTION") == "whole"


@pytest.fixture(scope="session", autouse=True)
def judging_begins(request: pytest.FixtureRequest) -> None:
    """Begin to judge at once where any test of the run will ask for it."""
    if any("judged" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("judged")


@pytest.fixture(scope="session")
def host_url(sut_image: str, sut_run: Run) -> Iterator[str]:
    """Start one container that serves every wire defect, each under its name, and return its base URL."""
    with closing(docker.from_env()) as engine:
        image = lay_over(
            engine,
            sut_image,
            layer_of_all(read_defects()),
            tag=f"all-{sut_run.id}",
            environment={},
            labels=sut_run.labels,
        )
        sut = Sut(image, load_profile(), sut_run, launch=Launch(arguments=("serve",))).start()
        try:
            # The host has no route without a defect's name: any defect's ping tells when the model is loaded.
            sut.wait_ready(below="/html_errors")
            yield sut.url
        finally:
            sut.remove()
            engine.images.remove(image, force=True)


@pytest.fixture(scope="session")
def plain_image(sut_run: Run) -> Iterator[str]:
    """Make the second good container's image: small, of the standard library alone, quick to start."""
    with closing(docker.from_env()) as engine:
        yield build_plain_image(engine, ensure_base_image(ensure_engine(say=print), say=print), sut_run.labels)


@pytest.fixture(scope="session")
def upstream_url(plain_image: str, sut_run: Run) -> Iterator[str]:
    """Start the good container that the fronts stand before, and return its URL."""
    sut = Sut(plain_image, load_profile(), sut_run).start()
    sut.wait_ready()
    yield sut.url
    sut.remove()


@pytest.fixture(scope="session")
def bases(sut_image: str, plain_image: str) -> Bases:
    """Name the good containers that defects are laid over."""
    return {"reference": sut_image, "plain": plain_image}


@pytest.fixture(scope="session")
def asked(request: pytest.FixtureRequest) -> list[Defect]:
    """Name the defects that the tests of this run are about."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    found = {call.params["defect"].name for call in calls if call is not None and "defect" in call.params}
    return [defect for defect in read_defects() if defect.name in found]


@pytest.fixture(scope="session")
def judged(host_url: str, upstream_url: str, bases: Bases, asked: list[Defect], sut_run: Run) -> Iterator[Verdicts]:
    """Judge every defect in the background."""

    def judge(defect: Defect) -> Found:
        if defect.place == "front":
            with start_front(defect.name, upstream_url) as url:
                return judge_at(f"--sut-url={url}", defect, whole=WHOLE)
        if defect.place == "wire" and defect.suite != "chaos":
            return judge_at(f"--sut-url={host_url}/{defect.name}", defect, whole=WHOLE)
        with _laid_over(defect, bases[defect.base], sut_run) as image:
            return judge_at(f"--sut-image={image}", defect, whole=WHOLE)

    verdicts = Verdicts(judge, asked)
    yield verdicts
    verdicts.close()


@contextmanager
def _laid_over(defect: Defect, base: str, run: Run) -> Iterator[str]:
    """Make an image with one defect, and remove it."""
    files, environment = layer_of(defect)
    with closing(docker.from_env()) as engine:
        image = lay_over(engine, base, files, tag=f"{defect.name}-{run.id}", environment=environment, labels=run.labels)
        try:
            yield image
        finally:
            engine.images.remove(image, force=True)
