"""Images that cannot be judged, started for real: each is told of in one sentence with a way out."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import struct
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import docker
import pytest

from harness.cli import main
from harness.contract.profile import DEFAULT_PROFILE
from harness.system.base_image import ensure_base_image
from harness.system.engine import ensure_engine
from tests.detection.engine_elsewhere import engine_elsewhere
from tests.detection.layers import lay_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.system.guard import Run

__all__ = ["engine_elsewhere"]
pytestmark = pytest.mark.detection

SERVER = ["python", "-m", "http.server"]
ENTRYPOINTS = {
    "exits": ["python", "-c", "raise SystemExit('MODEL_DIR is not set')"],
    "elsewhere": [*SERVER, "5000", "--directory"],
    "loopback": [*SERVER, "8080", "--bind", "127.0.0.1", "--directory"],
    "routes": [*SERVER, "8080", "--directory"],
    "not_here": ["/opt/nowhere/serve"],
}
SENTENCES = {
    "exits": "before it was ready; `docker run --rm {image} serve` must keep running",
    "elsewhere": "listens on port 5000, and on 8080 the profile expects it: write its port into the profile",
    "loopback": "listens on port 8080 of the loopback address alone: have it listen on 0.0.0.0",
    "routes": "knows no GET /ping: write its route into the profile (`ping_path` in `[http]`)",
    "not_here": "it is started with the arguments ['serve']: the profile's `arguments` in `[container]`",
}
# An ELF header that says AArch64, or x86-64; no kernel gets any further in it.
AARCH64, X86_64 = 183, 62


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture(scope="module")
def images(engine: docker.DockerClient, sut_run: Run) -> Iterator[dict[str, str]]:
    """Make an image of each kind from the base image: nothing but another program to start."""
    base = ensure_base_image(ensure_engine(say=print), say=print)
    made = {
        name: lay_over(
            engine,
            base,
            {},
            tag=f"{name.replace('_', '-')}-{sut_run.id}",
            environment={},
            labels=sut_run.labels,
            entrypoint=entrypoint,
        )
        for name, entrypoint in ENTRYPOINTS.items()
    }
    yield made
    for image in made.values():
        engine.images.remove(image, force=True)


@pytest.fixture(scope="module")
def foreign(engine: docker.DockerClient, sut_run: Run) -> Iterator[str]:
    """Load an image for a kind of machine that this one is not."""
    machine, architecture = (X86_64, "amd64") if engine.version()["Arch"] == "arm64" else (AARCH64, "arm64")
    image = f"inference-harness/foreign:{sut_run.id}"
    engine.images.load(_archive(image, machine, architecture))
    yield image
    engine.images.remove(image, force=True)


def _archive(image: str, machine: int, architecture: str) -> bytes:
    """Return an image of one file, as `docker save` has it."""
    program = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, *[0] * 4)
    )
    layer = _tar({"serve": program})
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/serve"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [image], "Layers": ["layer.tar"]}]
    files = {"config.json": config, "manifest.json": manifest}
    return _tar({"layer.tar": layer} | {name: json.dumps(content).encode() for name, content in files.items()})


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Give a profile that waits for 1.5 s, and a folder for the report."""
    path = tmp_path / "profile.toml"
    path.write_text(DEFAULT_PROFILE.read_text().replace("ready_s = 60", "ready_s = 1.5", 1))
    return ["--sut-profile", str(path), "--report-dir", str(tmp_path / "report")]


@pytest.mark.parametrize("name", SENTENCES)
def test_image_that_never_serves_is_told_of_with_a_way_out(
    images: dict[str, str], name: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", "--sut-image", images[name], *options]) == 1
    told = capsys.readouterr().out
    assert SENTENCES[name].format(image=images[name]) in told.splitlines()[0]
    assert ("MODEL_DIR is not set" in told) == (name == "exits")


def test_image_for_another_kind_of_machine_is_unknown(
    foreign: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", "--sut-image", foreign, *options]) == 2
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"UNKNOWN: the image {foreign!r} was built for linux/")
    assert "`docker build --platform linux/" in line


@pytest.mark.parametrize("suite", ["contract", "chaos"])
def test_gate_says_it_once(
    images: dict[str, str], suite: str, options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    status = main(["gate", "--sut-image", images["exits"], "--suite", suite, "--sut-alerts=off", *options])
    told = capfd.readouterr().out
    assert status == 1
    assert "C1: expected the container to start and stay up" in told
    assert "Traceback" not in told
    assert len(told.splitlines()) < 40


def test_gate_says_what_it_lacks(foreign: str, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    for image, reason in ((foreign, "was built for linux/"), (f"{foreign}-gone", "and it cannot be pulled")):
        assert main(["gate", "--sut-image", image, "--suite", "contract", "--sut-alerts=off", *options]) == 2
        told = capfd.readouterr().out
        assert told.count(reason) == 1
        assert len(told.splitlines()) < 20


def test_engine_whose_ports_are_out_of_reach(
    engine_elsewhere: str,
    images: dict[str, str],
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The engine is asked for ports at an address that its machine does not have, as behind a tunnel."""
    monkeypatch.setenv("DOCKER_HOST", engine_elsewhere)
    monkeypatch.setattr(socket, "gethostbyname", lambda _: "192.0.2.7")
    assert main(["load", "--sut-image", images["elsewhere"], *options]) == 2
    told = capsys.readouterr().out
    assert f"the Docker engine at {engine_elsewhere} cannot publish ports at 192.0.2.7" in told
    assert "run the harness there" in told
