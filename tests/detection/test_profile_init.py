"""`harness profile init` finds how each container is asked, and says in one sentence why it finds nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import docker
import pytest

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.system.engine import ensure_engine
from tests.detection.energy import PROFILE as ENERGY
from tests.detection.energy import energy_image
from tests.detection.layers import ROOT, lay_over
from tests.detection.peer_images import PEERS, peer_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.system.guard import Run

pytestmark = [pytest.mark.detection, pytest.mark.proof, pytest.mark.timeout(600)]

# What a protocol is: where, and in which form, windows go in and predictions come out.
PROTOCOL = {
    "container": ("port",),
    "http": ("ping_path", "invocations_path"),
    "window": (
        *("codecs", "key", "json", "csv", "csv_field"),
        *("columns", "batch", "tensor_name", "tensor_datatype"),
    ),
    "answer": ("prediction", "as_of", "horizon", "model", "anomalies"),
}
BUDGET_S = 300.0
# So long is waited in vain: a start takes longer on a busy machine.
READY_S = 6
LISTENS = "import http.server as h; h.ThreadingHTTPServer(({host!r}, 9123), h.SimpleHTTPRequestHandler).serve_forever()"


def init(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "harness.cli", "profile", "init", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BUDGET_S, check=False)


def found(folder: Path, *arguments: str) -> Profile:
    """Return the profile that it writes: one that nothing is wrong with."""
    written = folder / "first.toml"
    ended = init(*arguments, f"--output={written}")
    assert ended.returncode == 0, ended.stderr
    check = [sys.executable, "-m", "harness.cli", "profile", "check", str(written)]
    assert subprocess.run(check, cwd=ROOT, check=False).returncode == 0, written.read_text(encoding="utf-8")
    return load_profile(written)


def test_the_reference_container_promises_the_default_profile(sut_image: str, tmp_path: Path) -> None:
    assert _alike(found(tmp_path, f"--sut-image={sut_image}"), load_profile(DEFAULT_PROFILE))
    options = [f"--sut-image={sut_image}", f"--sut-profile={tmp_path / 'first.toml'}", f"--report-dir={tmp_path}"]
    gate = [sys.executable, "-m", "harness.cli", "gate", "--suite=contract", *options]
    few = {**os.environ, "SUT_RULES": "C6"}
    ended = subprocess.run(gate, cwd=ROOT, env=few, capture_output=True, text=True, timeout=BUDGET_S, check=False)
    assert ended.returncode == 0, ended.stdout[-4_000:] + ended.stderr


def test_the_plain_container_promises_the_default_profile(plain_image: str, tmp_path: Path) -> None:
    assert _alike(found(tmp_path, f"--sut-image={plain_image}"), load_profile(DEFAULT_PROFILE))


def test_another_domain_is_found_by_its_window(plain_image: str, sut_run: Run, tmp_path: Path) -> None:
    with energy_image(plain_image, sut_run) as image:
        assert _alike(found(tmp_path, f"--sut-image={image}", f"--sut-profile={ENERGY}"), load_profile(ENERGY))
        without = init(f"--sut-image={image}")
    assert without.returncode == 2, without.stderr
    assert "none was answered with a prediction at /invocations" in without.stderr
    assert 'ping_path = "/ping"' in without.stdout


@pytest.mark.parametrize("name", PEERS)
def test_the_protocol_of_a_peer_is_found(name: str, sut_image: str, sut_run: Run, tmp_path: Path) -> None:
    peer = PEERS[name](ensure_engine(say=print))
    with peer_image(peer, sut_image, sut_run) as image:
        first = found(tmp_path, f"--sut-image={image}")
    written = load_profile(peer.profile)
    for table, keys in PROTOCOL.items():
        for key in keys:
            assert getattr(getattr(first, table), key) == getattr(getattr(written, table), key), (table, key)
    assert {"C6", "C11", "D6", "D9"} <= set(first.waived)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('no model in /models')", "exit code 1, and its last words were 'no model in /models'"),
        (LISTENS.format(host="0.0.0.0"), "it listens on 9123: name it, --port 9123"),  # noqa: S104 - in a container
        (
            LISTENS.format(host="127.0.0.1"),
            "127.0.0.1:9123 alone, which nobody reaches from outside: let it bind 0.0.0.0",
        ),
        ("import time; time.sleep(600)", "it listens on no port"),
    ],
)
def test_what_does_not_answer_is_told_in_one_sentence(
    program: str, said: str, plain_image: str, sut_run: Run, tmp_path: Path
) -> None:
    with _running(program, plain_image, sut_run) as image:
        ended = init(f"--sut-image={image}", f"--sut-profile={_hasty(tmp_path)}")
    assert (ended.returncode, ended.stdout) == (2, "")
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("harness: ")]
    assert said in sentence
    assert "--sut-profile" in sentence


def test_a_port_that_is_named_is_looked_at(plain_image: str, sut_run: Run, tmp_path: Path) -> None:
    with _running(LISTENS.format(host="0.0.0.0"), plain_image, sut_run) as image:  # noqa: S104 - likewise
        ended = init(f"--sut-image={image}", f"--sut-profile={_hasty(tmp_path)}", "--port=9123")
    assert ended.returncode == 2
    assert "no customary route takes a POST" in ended.stderr
    assert re.search(r"(?m)^port = 9123$", ended.stdout)


def test_an_image_that_is_not_there_is_told_in_one_sentence() -> None:
    ended = init("--sut-image=inference-harness/no-such:image")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "inference-harness/no-such:image" in ended.stderr


def _alike(first: Profile, promised: Profile) -> bool:
    """Whether two profiles promise the same, whatever they are called."""
    return replace(first, name="", sha256="") == replace(promised, name="", sha256="")


def _hasty(folder: Path) -> Path:
    path = folder / "hasty.toml"
    text = DEFAULT_PROFILE.read_text(encoding="utf-8").replace("ready_s = 60", f"ready_s = {READY_S}")
    path.write_text(text.replace('arguments = ["serve"]', "arguments = []"), encoding="utf-8")
    return path


@contextmanager
def _running(program: str, base: str, run: Run) -> Iterator[str]:
    """Make an image that runs a line of Python, and remove it."""
    with closing(docker.from_env()) as engine:
        entrypoint = ["python", "-c", program]
        image = lay_over(
            engine, base, {}, tag=f"line-{run.id}", environment={"A": "b"}, labels=run.labels, entrypoint=entrypoint
        )
        try:
            yield image
        finally:
            engine.images.remove(image, force=True)
