"""The doctor's findings: each names what was found, and the command that mends it where it is not well."""

from hashlib import sha256
from importlib import metadata
from pathlib import Path

import pytest

from harness.system import doctor
from harness.system.doctor import Finding, examine, render
from harness.system.engine import Engine, EngineMissing


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project that requires one package, locked at the version installed here, and set up."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["pytest>=9.0"]\n')
    (tmp_path / ".ci/requirements.lock").write_text(f"pytest=={metadata.version('pytest')} \\\n    --hash=sha256:0\n")
    stamp(tmp_path)
    return tmp_path


def stamp(project: Path) -> None:
    digest = sha256((project / ".ci/requirements.lock").read_bytes()).hexdigest()
    (project / ".venv/lock.sha256").write_text(f"{digest}  .ci/requirements.lock\n")


def no_engine() -> Engine:
    msg = "No Docker engine answers at /nowhere."
    raise EngineMissing(msg)


def found(project: Path, subject: str) -> Finding:
    (finding,) = (finding for finding in examine(project, no_engine) if finding.subject == subject)
    return finding


@pytest.mark.parametrize("subject", ["python", "environment", "pytest"])
def test_what_is_there_needs_no_mending(project: Path, subject: str) -> None:
    finding = found(project, subject)
    assert (finding.state, finding.mend) == ("ok", "")


def test_an_environment_of_another_lock_is_broken(project: Path) -> None:
    (project / ".ci/requirements.lock").write_text("pytest==1.0\n")
    assert found(project, "environment").state == "broken"
    assert found(project, "environment").mend == "make setup"


def test_no_environment_is_missing(project: Path) -> None:
    (project / ".venv/lock.sha256").unlink()
    assert found(project, "environment").state == "missing"


def test_a_package_of_another_version_than_locked_is_broken(project: Path) -> None:
    (project / ".ci/requirements.lock").write_text("pytest==1.0\n")
    stamp(project)
    assert found(project, "pytest").state == "broken"
    assert "the lock says 1.0" in found(project, "pytest").detail


def test_a_package_that_is_not_installed_is_missing(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-package[extra]>=1"]\n')
    assert found(project, "no-such-package").state == "missing"


def test_an_engine_that_does_not_answer_is_missing(project: Path) -> None:
    engine = found(project, "engine")
    assert (engine.state, engine.mend) == ("missing", "make setup")
    assert "/nowhere" in engine.detail


@pytest.mark.parametrize(("token", "words"), [("xoxb-1", "is set"), ("", "printed")])
def test_the_token_is_told_of_and_never_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, token: str, words: str
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", token)
    assert words in found(project, "slack").detail
    assert "xoxb" not in render(examine(project, no_engine))


def test_a_small_machine_is_told_as_such(tmp_path: Path) -> None:
    engine = Engine(
        client=None,  # type: ignore[arg-type]  # not asked
        address="unix:///nowhere",
        server_version="20.10.0",
        api_version="1.41",
        cgroup_version=1,
        architecture="x86_64",
        storage=tmp_path,
        cores=1,
        memory_bytes=1024**3,
    )
    states = {finding.subject: finding.state for finding in doctor._room(engine)}  # noqa: SLF001 - it needs no engine
    assert states["cores"] == states["memory"] == "broken"


def test_findings_are_aligned_with_the_way_out_below() -> None:
    sick = Finding(subject="engine", state="missing", detail="none answers", mend="make setup")
    well = Finding(subject="reference image", state="ok", detail="here")
    lines = render([sick, well]).splitlines()
    assert [line.find(word) for line, word in zip(lines, ("none", "mend:", "here"), strict=False)] == [26, 26, 26]
    assert lines[-1] == "1 of 2 need mending."


def test_all_well_is_said() -> None:
    assert render([Finding(subject="python", state="ok", detail="3.13")]).endswith("Everything is there.")


@pytest.mark.parametrize(("limit", "state"), [("20000", "ok"), ("12000", "ok"), ("1024", "broken")])
def test_an_engine_with_few_open_files_is_broken(tmp_path: Path, limit: str, state: str) -> None:
    process(tmp_path, 7, "dockerd", limit)
    process(tmp_path, 8, "containerd", "9")
    (finding,) = doctor.open_files_of_engine(tmp_path)
    assert (finding.state, finding.detail) == (state, f"{limit} for each process of the engine's")
    assert ("LimitNOFILE" in finding.mend) == (state == "broken")


@pytest.mark.parametrize("engines", [[], ["unlimited"], ["1024", "1024"]])
def test_open_files_are_not_told_of_where_they_cannot_be_known(tmp_path: Path, engines: list[str]) -> None:
    for pid, limit in enumerate(engines):
        process(tmp_path, pid, "dockerd", limit)
    assert list(doctor.open_files_of_engine(tmp_path)) == []


def process(proc: Path, pid: int, name: str, limit: str) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "comm").write_text(f"{name}\n")
    (folder / "limits").write_text(
        f"Max processes             7                    7                    processes\n"
        f"Max open files            512                  {limit:<20} files\n"
    )
