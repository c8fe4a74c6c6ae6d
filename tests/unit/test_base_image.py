"""The base image's making: the mirror is this machine's, nothing half-made stays, a refusal says the way out."""

import http.server
import json
import os
import platform
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from harness.system import base_image, debian
from harness.system.base_image import OURS, PULLABLE, BaseImageMissing, ensure_base_image
from harness.system.engine import Engine


@contextmanager
def engine_with(images: set[str], place: Path, architecture: str = platform.machine()) -> Iterator[Engine]:
    """Run an engine's HTTP side that holds these images and can pull none."""

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/version":
                self.answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.24"})
                return
            name = self.path.split("/images/")[1].removesuffix("/json")
            self.answer(200 if name in images else 404, {"Id": f"sha256:{name}", "message": "no such image"})

        def do_POST(self) -> None:
            self.answer(500, {"message": "lookup registry: no such host"})

        def answer(self, status: int, body: dict[str, str]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def address_string(self) -> str:
            return ""

        def log_message(self, *_words: object) -> None:
            pass

    with socketserver.ThreadingUnixStreamServer(str(place / "docker.sock"), Door) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = docker.DockerClient(base_url=f"unix://{place}/docker.sock")
        try:
            yield Engine(
                client=client,
                address=f"unix://{place}/docker.sock",
                server_version="20.10.0",
                api_version="1.41",
                cgroup_version=2,
                architecture=architecture,
                storage=place,
                cores=2,
                memory_bytes=1,
            )
        finally:
            client.close()
            server.shutdown()


@pytest.fixture
def bare_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine where we are root and `debootstrap` is a small program that fails half-way."""
    (tmp_path / "debootstrap").write_text('#!/bin/sh\nmkdir -p "$4/usr"\necho "E: no route to the mirror"\nexit 1\n')
    (tmp_path / "debootstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "has_apt", lambda: True)
    return tmp_path


@pytest.mark.parametrize("name", [PULLABLE, OURS])
def test_a_local_image_is_used_at_once(tmp_path: Path, name: str) -> None:
    with engine_with({name}, tmp_path) as engine:
        assert ensure_base_image(engine, say=pytest.fail) == name


def test_the_official_image_comes_before_ours(tmp_path: Path) -> None:
    with engine_with({PULLABLE, OURS}, tmp_path) as engine:
        assert ensure_base_image(engine, say=pytest.fail) == PULLABLE


def test_another_base_is_never_replaced_by_ours(tmp_path: Path) -> None:
    said: list[str] = []
    with engine_with({OURS}, tmp_path) as engine, pytest.raises(BaseImageMissing, match="somebody/base:1"):
        ensure_base_image(engine, name="somebody/base:1", say=said.append)
    assert said == ["pulling somebody/base:1"]


def test_a_failed_making_leaves_nothing_and_shows_why(bare_debian: Path) -> None:
    with engine_with(set(), bare_debian) as engine, pytest.raises(BaseImageMissing, match="no route to the mirror"):
        ensure_base_image(engine, say=print)
    assert [path.name for path in (bare_debian / "cache/inference-harness").iterdir()] == ["base-image.lock"]


def test_what_a_killed_run_left_is_removed_first(bare_debian: Path) -> None:
    left_over = bare_debian / "cache/inference-harness/base-image.partial/etc/half-written"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    with engine_with(set(), bare_debian) as engine, pytest.raises(BaseImageMissing):
        ensure_base_image(engine, say=print)
    assert not left_over.exists()


def test_a_common_user_is_told_to_load_the_image(bare_debian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with engine_with(set(), bare_debian) as engine, pytest.raises(BaseImageMissing, match=r"needs root.*docker load"):
        ensure_base_image(engine, say=print)


def test_no_image_is_made_for_an_engine_of_another_architecture(bare_debian: Path) -> None:
    with (
        engine_with(set(), bare_debian, architecture="s390x") as engine,
        pytest.raises(BaseImageMissing, match="engine is s390x"),
    ):
        ensure_base_image(engine, say=print)


def test_the_made_root_has_a_python_and_nothing_to_read(tmp_path: Path) -> None:
    for name in ("usr/local/bin", "usr/lib/python3.11", "etc", "usr/share/doc/bash", "var/cache/apt/archives"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("usr/share/man", "usr/share/info", "usr/share/locale", "var/lib/apt/lists", "var/log"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "usr/lib/python3.11/EXTERNALLY-MANAGED").touch()
    base_image._furnish(tmp_path)  # noqa: SLF001 - it needs no engine
    assert (tmp_path / "usr/local/bin/python").readlink() == Path("/usr/bin/python3.11")
    assert not (tmp_path / "usr/lib/python3.11/EXTERNALLY-MANAGED").exists()
    assert list((tmp_path / "usr/share/doc").iterdir()) == []


DEB822 = """Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

# The archive
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: trixie trixie-updates
Components: main contrib
"""


@pytest.mark.parametrize(
    ("name", "text", "archive"),
    [
        ("sources.list.d/debian.sources", DEB822, "http://mirror.example/debian"),
        ("sources.list.d/debian.sources", "Enabled: no\n" + DEB822.split("\n\n")[1], None),
        ("sources.list", "deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"),
        (
            "sources.list",
            "deb [arch=amd64 signed-by=/k] https://m.example/debian stable main",
            "https://m.example/debian",
        ),
        ("sources.list", "# deb http://mirror.example/debian bookworm main\n", None),
        ("sources.list", "deb-src http://mirror.example/debian bookworm main\n", None),
        ("sources.list.d/vendor.list", "deb https://vendor.example/linux/debian bookworm stable\n", None),
        ("sources.list.d/vendor.list", "deb https://vendor.example bookworm main\n", None),
        ("sources.list", "deb http://archive.example/ubuntu noble main\n", None),
    ],
)
def test_the_mirror_is_the_one_of_this_machines_debian(
    tmp_path: Path, name: str, text: str, archive: str | None
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    assert debian.mirror(tmp_path) == archive
