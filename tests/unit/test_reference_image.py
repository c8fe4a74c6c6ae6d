"""The reference image's making: named by content, wheels whole or not at all, a build that shows its end."""

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.system import reference_image
from harness.system.reference_image import ReferenceImageMissing, wheels_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reference_container"
    (place / "wheels").mkdir(parents=True)
    (place / "model").mkdir()
    for name in ("Dockerfile", "requirements.lock", "app.py", "model/weights", "wheels/old.whl", "notes.md"):
        (place / name).write_text(name)
    (place / ".dockerignore").write_text("# what the image does not need\nnotes.md\n")
    return place


def name_of(folder: Path, base_id: str = "sha256:1") -> str:
    return reference_image._name(base_id, folder, "trial/reference")  # noqa: SLF001 - it needs no engine


def rewrite(folder: Path) -> None:
    (folder / "app.py").write_text("another")


def rename(folder: Path) -> None:
    (folder / "app.py").rename(folder / "wsgi.py")


def make_executable(folder: Path) -> None:
    (folder / "app.py").chmod(0o755)


@pytest.mark.parametrize("change", [rewrite, rename, make_executable])
def test_changed_content_has_another_name(folder: Path, change: Callable[[Path], None]) -> None:
    before = name_of(folder)
    change(folder)
    assert name_of(folder) != before


def test_another_base_has_another_name(folder: Path) -> None:
    assert name_of(folder, "sha256:1") != name_of(folder, "sha256:2")


@pytest.mark.parametrize("surplus", ["wheels/new.whl", "notes.md", "__pycache__/app.pyc", "model/__pycache__/x.pyc"])
def test_what_does_not_go_into_the_image_does_not_name_it(folder: Path, surplus: str) -> None:
    before = name_of(folder)
    (folder / surplus).parent.mkdir(exist_ok=True)
    (folder / surplus).write_text("changed")
    assert name_of(folder) == before


def test_the_context_holds_the_content_and_the_wheels_without_times(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cached").mkdir()
    (tmp_path / "cached/flask.whl").write_bytes(b"w" * 2000)
    members = reference_image._members(folder, tmp_path / "cached")  # noqa: SLF001 - it needs no engine
    stream = b"".join(reference_image._archive(members))  # noqa: SLF001
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        names = archive.getnames()
        assert {"Dockerfile", "app.py", "model/weights", "wheels/flask.whl"} <= set(names)
        assert not {"notes.md", "wheels/old.whl"} & set(names)
        assert {entry.mtime for entry in archive} == {0}


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in pip's place that writes one wheel, then ends as the file `status` says."""
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\n"
        'echo "$@" >> "$(dirname "$0")/calls"\n'
        'for word in "$@"; do case $word in --dest=*) touch "${word#--dest=}/one.whl";; esac; done\n'
        'echo "no matching distribution"; exit "$(cat "$(dirname "$0")/status")"\n'
    )
    program.chmod(0o755)
    (tmp_path / "status").write_text("0")
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def ensure_wheels(folder: Path) -> Path:
    lock = folder / "requirements.lock"
    place = wheels_folder(lock, "x86_64").parent
    return reference_image._ensure_wheels(lock, "x86_64", place, print)  # noqa: SLF001 - it needs no engine


def test_wheels_are_downloaded_once(pip: Path, folder: Path) -> None:
    assert ensure_wheels(folder) == ensure_wheels(folder)
    (call,) = (pip / "calls").read_text().splitlines()
    assert "--require-hashes" in call
    assert "--platform=manylinux_2_28_x86_64" in call
    assert "--platform=manylinux2014_x86_64" in call


def test_an_interrupted_download_is_not_taken_for_a_whole_one(pip: Path, folder: Path) -> None:
    (pip / "status").write_text("1")
    with pytest.raises(ReferenceImageMissing, match="no matching distribution"):
        ensure_wheels(folder)
    (pip / "status").write_text("0")
    assert [path.name for path in ensure_wheels(folder).iterdir()] == ["one.whl"]
    assert len((pip / "calls").read_text().splitlines()) == 2


def test_another_lock_or_architecture_has_wheels_of_its_own(pip: Path, folder: Path) -> None:
    lock = folder / "requirements.lock"
    before = wheels_folder(lock, "x86_64")
    assert pip in before.parents
    assert wheels_folder(lock, "aarch64") != before
    lock.write_text("another")
    assert wheels_folder(lock, "x86_64") != before


def test_a_failed_build_shows_its_last_lines() -> None:
    lines = [{"stream": f"line {number}\n"} for number in range(100)] + [{"error": "returned a non-zero code: 1"}]
    with pytest.raises(ReferenceImageMissing, match="non-zero code: 1") as caught:
        reference_image._follow(iter(lines), "trial/reference:1")  # noqa: SLF001 - it needs no engine
    assert "line 99" in str(caught.value)
    assert "line 84" not in str(caught.value)
