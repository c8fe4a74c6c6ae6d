"""What the set-up needs, what of it is there, and the command that mends the rest."""

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Literal

from harness.system import cache
from harness.system.base_image import PULLABLE, find
from harness.system.engine import Engine, EngineMissing, reach
from harness.system.faketime import PACKAGE, find_library
from harness.system.reference_image import FOLDER, LATEST, find_reference_image, wheels_folder

State = Literal["ok", "missing", "broken"]

PROJECT = Path(__file__).resolve().parents[2]

_SET_UP = "make setup"
_OLDEST_PYTHON = (3, 11)
_OLDEST_API = (1, 41)  # Docker 20.10: the first that tells its cgroup version
_DISK_BYTES = 6 * 1024**3  # wheels 0.4, base 0.2, the build's layers 3, room to run
_MEMORY_BYTES = 2 * 1024**3
_CORES = 2
# The load's 2,000 connections at most, of each of which Docker's proxy before a published port takes up to six.
_OPEN_FILES = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the harness stands on: what was found, and the command that mends it where it is not ok."""

    subject: str
    state: State
    detail: str
    mend: str = ""


def examine(project: Path = PROJECT, engine_at: Callable[[], Engine] = reach) -> list[Finding]:
    """Look at everything and change nothing; under 2 s where the engine answers."""
    findings = [_python(), _lock(project), *_packages(project)]
    try:
        engine = engine_at()
    except EngineMissing as missing:
        findings.append(Finding(subject="engine", state="missing", detail=str(missing), mend=_SET_UP))
    else:
        findings.extend(_on(engine))
    return [*findings, _clock(), _slack()]


def render(findings: list[Finding]) -> str:
    """Lay findings out as aligned lines, the way out below each that is not ok."""
    width = max((len(finding.subject) for finding in findings), default=0)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.state:<7}  {finding.subject:<{width}}  {finding.detail}")
        if finding.mend:
            lines.append(f"{'':7}  {'':{width}}  mend: {finding.mend}")
    bad = sum(finding.state != "ok" for finding in findings)
    lines.append(f"{bad} of {len(findings)} need mending." if bad else "Everything is there.")
    return "\n".join(lines)


def _finding(subject: str, detail: str, *, good: bool, mend: str, otherwise: State = "broken") -> Finding:
    return Finding(subject=subject, state="ok" if good else otherwise, detail=detail, mend="" if good else mend)


def _python() -> Finding:
    detail = f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}"
    return _finding(
        "python",
        detail,
        good=sys.version_info >= _OLDEST_PYTHON,
        mend="install Python 3.11 or later, then `make setup`",
    )


def _lock(project: Path) -> Finding:
    """Compare the lock's hash with the one that the environment was made from."""
    lock, stamp = project / ".ci/requirements.lock", project / ".venv/lock.sha256"
    if not stamp.is_file() or not lock.is_file():
        return Finding(
            subject="environment", state="missing", detail="no .venv made by the set-up from the lock", mend=_SET_UP
        )
    in_step = stamp.read_text(encoding="utf-8").startswith(sha256(lock.read_bytes()).hexdigest())
    detail = ".venv is in step with the lock" if in_step else ".venv was made from another lock"
    return _finding("environment", detail, good=in_step, mend=_SET_UP)


def _packages(project: Path) -> Iterator[Finding]:
    """Compare each required package with the versions that the lock allows."""
    pyproject, lock = project / "pyproject.toml", project / ".ci/requirements.lock"
    if not pyproject.is_file() or not lock.is_file():
        return
    locked = re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for requirement in tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        wanted = [version for known, version in locked if known == name]
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(subject=name, state="missing", detail="not installed", mend=_SET_UP)
            continue
        if version in wanted:
            yield Finding(subject=name, state="ok", detail=version)
        else:
            detail = f"{version}, where the lock says {' or '.join(wanted) or 'nothing'}"
            mend = f"rm -rf .venv && {_SET_UP}" if wanted else "make lock"
            yield Finding(subject=name, state="broken", detail=detail, mend=mend)


def _on(engine: Engine) -> Iterator[Finding]:
    api_version = tuple(int(part) for part in engine.api_version.split("."))
    detail = f"{engine.server_version}, API {engine.api_version}, cgroup v{engine.cgroup_version}, at {engine.address}"
    yield _finding("engine", detail, good=api_version >= _OLDEST_API, mend="install Docker 20.10 or later")
    base = find(engine)
    yield _finding(
        "base image", base or f"no {PULLABLE}, nor ours", good=base is not None, mend=_SET_UP, otherwise="missing"
    )
    reference = find_reference_image(engine)
    yield _finding(
        "reference image",
        f"{reference}, also {LATEST}" if reference else "not built from the present reference_container/",
        good=reference is not None,
        mend=_SET_UP,
        otherwise="missing",
    )
    yield _wheels(engine, built=reference is not None)
    yield from _room(engine)
    if engine.address.startswith("unix:"):
        yield from open_files_of_engine(Path("/proc"))


def _wheels(engine: Engine, *, built: bool) -> Finding:
    lock = FOLDER / "requirements.lock"
    place = wheels_folder(lock, engine.architecture) if lock.is_file() else cache.folder() / "wheels"
    there = lock.is_file() and place.is_dir()
    detail = f"{len(list(place.iterdir()))} in {place}" if there else f"none in {place}"
    if built and not there:
        detail += "; needed only to build the reference image, which is there"
    return _finding("cached wheels", detail, good=there or built, mend=_SET_UP, otherwise="missing")


def _room(engine: Engine) -> Iterator[Finding]:
    gib = 1024**3
    if engine.storage.is_dir() and engine.address.startswith("unix:"):  # else the disk is another machine's
        free = shutil.disk_usage(engine.storage).free
        yield _finding(
            "disk",
            f"{free / gib:.1f} GiB free under {engine.storage}",
            good=free >= _DISK_BYTES,
            mend="docker system prune",
        )
    yield _finding(
        "memory",
        f"{engine.memory_bytes / gib:.1f} GiB",
        good=engine.memory_bytes >= _MEMORY_BYTES,
        mend="use a machine with 2 GiB",
    )
    yield _finding("cores", str(engine.cores), good=engine.cores >= _CORES, mend="use a machine with 2 cores")


def open_files_of_engine(proc: Path) -> Iterator[Finding]:
    """Tell how many files the engine may open, and its proxies with it, where it is one process of this machine."""
    engines = [path.parent for path in proc.glob("[0-9]*/comm") if _text(path) == "dockerd\n"]
    if len(engines) != 1:
        return
    limit = re.search(r"^Max open files\s+\S+\s+(\d+)", _text(engines[0] / "limits"), flags=re.MULTILINE)
    if limit is None:  # without a limit, or ended meanwhile
        return
    yield _finding(
        "open files",
        f"{limit[1]} for each process of the engine's",
        good=int(limit[1]) >= _OPEN_FILES,
        mend=f"`LimitNOFILE=1048576` in the engine's service, or `ulimit -n`: load needs {_OPEN_FILES}",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _clock() -> Finding:
    """Tell of the library that one experiment needs, and nothing else."""
    library = find_library()
    none = f"no {PACKAGE}: the experiment `clock` is skipped; `apt-get install {PACKAGE}` brings it"
    return Finding(subject="clock", state="ok", detail=str(library or none))


def _slack() -> Finding:
    there = bool(os.environ.get("SLACK_BOT_TOKEN"))
    detail = "SLACK_BOT_TOKEN is set" if there else "no SLACK_BOT_TOKEN: the message is printed in place of being sent"
    return Finding(subject="slack", state="ok", detail=detail)
