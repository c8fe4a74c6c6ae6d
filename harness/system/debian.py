"""What Debian offers to the set-up: packages from apt, and the mirror that this machine uses."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from harness.system import NotSetUp
from harness.system.command import last_lines, run

OS_RELEASE = Path("/etc/os-release")
APT_SOURCES = Path("/etc/apt")

_APT_BUDGET_S = 600
_RELEASES = frozenset({"bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"})


class PackagesMissing(NotSetUp):
    """Packages could not be installed; the message shows apt's last lines."""


def is_root() -> bool:
    """Tell whether this process may change the machine."""
    return os.geteuid() == 0


def has_apt(os_release: Path = OS_RELEASE) -> bool:
    """Tell whether this is Debian, Ubuntu or a child of theirs, with apt."""
    if not os_release.is_file() or shutil.which("apt-get") is None:
        return False
    entries = (line.partition("=") for line in os_release.read_text(encoding="utf-8").splitlines())
    fields = {key: value.strip("\"'") for key, _, value in entries}
    family = {fields.get("ID", ""), *fields.get("ID_LIKE", "").split()}
    return not family.isdisjoint({"debian", "ubuntu"})


def install(packages: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Install Debian packages, without questions; PackagesMissing where apt cannot."""
    say(f"installing with apt: {', '.join(packages)}")
    _apt("update", "-qq")  # a source of somebody else's may be down: what counts is the install
    result = _apt("install", "-y", "-qq", "--no-install-recommends", *packages)
    if result.returncode != 0:
        said = last_lines(result.stdout)
        msg = f"`apt-get install {' '.join(packages)}` ended with exit status {result.returncode}:\n{said}"
        raise PackagesMissing(msg)


def mirror(folder: Path = APT_SOURCES) -> str | None:
    """Name the Debian archive that this machine's apt sources use; None where they name none."""
    for uri, suite, components in (*_deb822_entries(folder), *_one_line_entries(folder)):
        parts = urlsplit(uri)
        is_archive = parts.scheme in {"http", "https"} and "debian" in parts.path.split("/")
        if is_archive and suite in _RELEASES and "main" in components:
            return uri.rstrip("/")
    return None


def proxy_environment() -> dict[str, str]:
    """Copy the environment, with the proxy that apt is told to use where no other is named."""
    environment = dict(os.environ)
    if "http_proxy" not in environment and shutil.which("apt-config"):
        answer = run(["apt-config", "shell", "proxy", "Acquire::http::Proxy"], budget_s=10).stdout
        value = "".join(shlex.split(answer)).removeprefix("proxy=")
        if value.startswith("http"):
            environment["http_proxy"] = value
    return environment


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", *arguments]
    return run(command, budget_s=_APT_BUDGET_S, environment=environment)


def _deb822_entries(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in path.read_text(encoding="utf-8").split("\n\n"):
            lines = (line.partition(":") for line in stanza.splitlines() if not line.startswith("#"))
            fields = {key.strip().lower(): value.split() for key, _, value in lines}
            if fields.get("enabled") == ["no"] or "deb" not in fields.get("types", []):
                continue
            for uri in fields.get("uris", []):
                for suite in fields.get("suites", []):
                    yield uri, suite, fields.get("components", [])


def _one_line_entries(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))):
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for line in lines:
            words = line.partition("#")[0].split()
            if len(words) > 1 and words[1].startswith("["):
                end = next((i for i, word in enumerate(words) if word.endswith("]")), len(words))
                words = [words[0], *words[end + 1 :]]
            if len(words) > 3 and words[0] == "deb":  # noqa: PLR2004 - deb URI SUITE COMPONENT...
                yield words[1], words[2], words[3:]
