"""The peers, installed into a folder of their own: Python packages for the image's Python, programs from Debian."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.system import NotSetUp
from harness.system.command import last_lines, run
from harness.system.reference_image import pip_for_the_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.system.engine import Engine

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "bench"
LOCK = HERE / "peers.lock"
FRAMES_LOCK = HERE / "frames.lock"
_BUDGET_S = 900
_WRK_PACKAGES = ("wrk", "libluajit-5.1-2", "libluajit-5.1-common")
_HAPROXY_PACKAGES = ("haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")


class PeerMissing(NotSetUp):
    """A peer cannot be installed; the message shows the last lines of what failed."""


def python_packages(engine: Engine, lock: Path = LOCK) -> Path:
    """Return the folder that holds the packages of a lock, installing them where it is not there."""
    whole = CACHE / f"python-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if whole.is_dir():
        return whole
    partial = whole.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _run([*pip_for_the_image("install", lock, engine.architecture), f"--target={partial}"])
    partial.rename(whole)
    return whole


def frames_python() -> Path:
    """Return the Python of an environment with the packages of `frames.lock`, making it where it is not there."""
    whole = CACHE / f"frames-{hashlib.sha256(FRAMES_LOCK.read_bytes()).hexdigest()[:12]}"
    python = whole / "bin" / "python"
    if not (whole / "whole").is_file():
        shutil.rmtree(whole, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(whole)])
        strict = ["--require-hashes", "--no-deps", "--no-input", "--disable-pip-version-check", "--only-binary=:all:"]
        _run([str(python), "-m", "pip", "install", "--quiet", *strict, f"--requirement={FRAMES_LOCK}"])
        (whole / "whole").touch()
    return python


def wrk() -> tuple[str, dict[str, str]]:
    """Return wrk's program and the environment that it needs."""
    return _program("wrk", "usr/bin/wrk", _WRK_PACKAGES)


def haproxy() -> tuple[str, dict[str, str]]:
    """Return HAProxy's program and the environment that it needs."""
    return _program("haproxy", "usr/sbin/haproxy", _HAPROXY_PACKAGES)


def _program(name: str, place: str, packages: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return a program and its environment: the one on PATH, or Debian's, unpacked here."""
    if found := shutil.which(name):
        return found, dict(os.environ)
    folder = CACHE / name
    if not (folder / place).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["sh", "-c", f"cd '{folder}' && apt-get download -qq {' '.join(packages)}"])
        for package in folder.glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(package), str(folder)])
    libraries = ":".join(str(path) for path in (folder / "usr/lib").iterdir())
    return str(folder / place), {**os.environ, "LD_LIBRARY_PATH": libraries}


def _run(command: list[str]) -> None:
    result = run(command, budget_s=_BUDGET_S)
    if result.returncode != 0:
        msg = f"`{command[0]} ... {command[-1]}` ended with {result.returncode}:\n{last_lines(result.stdout)}"
        raise PeerMissing(msg)
