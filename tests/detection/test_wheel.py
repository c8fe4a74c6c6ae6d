"""The installed wheel, with this folder out of reach: the same command, the same suites, and checks of one's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.contract.profile import DEFAULT_PROFILE
from tests.detection.layers import FOLDERS, ROOT

pytestmark = pytest.mark.detection

PYTHONS = ("3.11", "3.12", "3.13")
BUDGET_S = 420.0
OURS = ("inference_harness", "_editable", "__pycache__")
RUN_PYTEST = "import sys, pytest\nsys.exit(pytest.main())\n"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
_EXAMPLE = re.compile(r"<!-- own check: begin -->\n```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A virtual environment that the wheel was installed into, and an empty folder to work in.

    `hides`: this clone is out of reach of what runs there, as far as this user may hide it.
    """

    environment: Path
    folder: Path
    hides: bool

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the folder; no variable leads from there to this clone."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
        program = [str(self.environment / "bin" / command[0]), *command[1:]]
        return subprocess.run(
            [*(_hiding(ROOT) if self.hides else []), *program],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=BUDGET_S,
            check=False,
        )


def _hiding(folder: Path) -> list[str]:
    """Return what runs a command with a folder hidden, for whoever may mount."""
    if os.geteuid() or not shutil.which("unshare"):
        return []
    hide = 'mount -t tmpfs none "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", hide, str(folder)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    built = ["wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(ROOT)]
    subprocess.run([*PIP, *built], check=True, stderr=subprocess.PIPE)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def quickly(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel alone, and link the packages that it needs: those of this environment."""
    place = tmp_path_factory.mktemp("quickly")
    environment, work = place / "venv", place / "work"
    venv.create(environment, with_pip=False)
    work.mkdir()
    packages = next(environment.glob("lib/python*/site-packages"))
    subprocess.run([*PIP, f"--python={environment / 'bin/python'}", "install", "--no-deps", str(wheel)], check=True)
    for found in Path(pytest.__file__).parents[1].iterdir():
        if not (found.name.startswith(OURS) or (packages / found.name).exists()):
            (packages / found.name).symlink_to(found)
    script = environment / "bin" / "pytest"
    script.write_text(f"#!{environment}/bin/python\n{RUN_PYTEST}", encoding="utf-8")
    script.chmod(0o755)
    return Installed(environment=environment, folder=work, hides=False)


def test_help_suites_and_doctor_are_there(quickly: Installed) -> None:
    told = quickly.run("harness", "--help")
    assert told.returncode == 0, told.stderr
    assert "gate" in told.stdout
    place = quickly.run("python", "-c", "import harness.home; print(harness.home.home())")
    assert place.stdout.strip().endswith("site-packages/harness/suites"), place.stdout + place.stderr
    suites = place.stdout.strip()
    asked = quickly.run("pytest", "--collect-only", "-q", "-c", f"{suites}/pytest.toml", f"{suites}/tests")
    assert asked.returncode == 0, asked.stdout[-3_000:]
    assert all(f"{folder}/test_" in asked.stdout for folder in FOLDERS.values())
    seen = quickly.run("harness", "doctor")
    assert seen.returncode in (0, 2), seen.stderr
    assert "Traceback" not in seen.stdout + seen.stderr


def test_the_readmes_own_check_runs(quickly: Installed, plain_image: str) -> None:
    match = _EXAMPLE.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert match is not None
    (quickly.folder / "test_own.py").write_text(match[1], encoding="utf-8")
    ended = quickly.run(
        "pytest", "-q", "-p", "no:cacheprovider", f"--sut-image={plain_image}", "--sut-alerts=off", "test_own.py"
    )
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr
    assert "1 passed" in ended.stdout


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", PYTHONS)
def test_the_gate_of_an_installed_wheel_passes(wheel: Path, version: str, plain_image: str, tmp_path: Path) -> None:
    python = shutil.which(f"python{version}")
    # A version manager may have the name and not the program.
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no python{version} on this machine")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([*PIP, f"--python={tmp_path / 'venv/bin/python'}", "install", str(wheel)], check=True)
    installed = Installed(environment=tmp_path / "venv", folder=tmp_path / "work", hides=True)
    installed.folder.mkdir()
    shutil.copy(DEFAULT_PROFILE, installed.folder / "theirs.toml")
    ended = installed.run("harness", "gate", f"--sut-image={plain_image}", "--sut-profile=theirs.toml")
    assert ended.returncode == 0, ended.stdout[-6_000:] + ended.stderr[-3_000:]
    assert (installed.folder / "reports" / "gate" / "report.html").is_file()
