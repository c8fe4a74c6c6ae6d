"""Defects laid over the reference image: one layer of files, committed, and nothing built."""

from __future__ import annotations

import io
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import docker

ROOT = Path(__file__).parent.parent.parent
DEFECTS = ROOT / "fixtures" / "defects"
REPOSITORY = "inference-harness/defect"
Place = Literal["wire", "process", "front"]
FOLDERS = {"contract": "tests/contract", "dq": "tests/data_quality", "chaos": "tests/chaos", "load": "tests/load"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A bug seeded on purpose: where it sits, which suite finds it, which rules it breaks, which fail along with it.

    `base` is the good container that it spoils; `file` and `select` narrow the suite to what can find it; `effort` says
    how hard it is looked for; `proof`: it takes long, and others show in every run that its rules can fail.
    """

    name: str
    place: Place
    suite: str
    rules: tuple[str, ...]
    along: tuple[str, ...] = ()
    file: str = ""
    select: str = ""
    base: Literal["reference", "plain"] = "reference"
    effort: Literal["quick", "normal"] = "quick"
    proof: bool = False

    @property
    def path(self) -> Path:
        """The file that holds it."""
        return DEFECTS / self.place / f"{self.name}.py"


def read_defects() -> list[Defect]:
    """Read the tables of defects, one file a theme."""
    tables = [tomllib.loads(path.read_text()) for path in sorted(DEFECTS.glob("*.toml"))]
    return [
        Defect(
            name=name,
            place=cast("Place", place),
            suite=row["suite"],
            rules=tuple(row["rules"]),
            along=tuple(row.get("along", ())),
            file=row.get("file", ""),
            select=row.get("select", ""),
            base=row.get("base", "reference"),
            effort=row.get("effort", "quick"),
            proof=row.get("proof", False),
        )
        for table in tables
        for place, rows in table.items()
        for name, row in rows.items()
    ]


def lay_over(
    engine: docker.DockerClient,
    image: str,
    files: Mapping[str, Path],
    *,
    tag: str,
    environment: Mapping[str, str],
    labels: Mapping[str, str],
    entrypoint: list[str] | None = None,
) -> str:
    """Return an image that is `image` with files (path in the container -> file here) and environment laid over it."""
    bare = engine.containers.create(image, labels=dict(labels), entrypoint=entrypoint)
    try:
        bare.put_archive("/", pack(files))
        changes = [f"ENV {name}={value}" for name, value in environment.items()]
        bare.commit(repository=REPOSITORY, tag=tag, changes=changes or None)
    finally:
        bare.remove(force=True)
    return f"{REPOSITORY}:{tag}"


def layer_of(defect: Defect) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the files and the environment that lay one defect over the image for all its routes."""
    if defect.place == "process":
        return {"/app/serve.py": defect.path}, {}
    files = {"/app/wsgi.py": DEFECTS / "host.py", f"/app/defects/{defect.name}.py": defect.path}
    return files, {"DEFECT": defect.name}


def layer_of_all(defects: list[Defect]) -> dict[str, Path]:
    """Return the files that serve every wire defect from one container."""
    wire = {f"/app/defects/{defect.name}.py": defect.path for defect in defects if defect.place == "wire"}
    return {"/app/wsgi.py": DEFECTS / "host.py", **wire}


def pack(files: Mapping[str, Path]) -> bytes:
    """Return files (path in the container -> file here) as a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for there, here in files.items():
            archive.add(here, arcname=there.lstrip("/"))
    return packed.getvalue()
