"""Another domain: the image of an hourly energy-demand forecaster, good or spoiled in every way that is seeded."""

from __future__ import annotations

import hashlib
import tomllib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker

from harness.contract.profile import load_profile
from harness.system.container import Launch, Sut
from tests.detection.layers import ROOT, lay_over

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.system.guard import Run

FOLDER = ROOT / "fixtures" / "energy_container"
PROFILE = ROOT / "fixtures" / "profiles" / "energy.toml"
HOST = "/app/defects/host.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyDefect:
    """A bug of the forecaster: the suite that finds it, and the rules that must fail, alone or `along` with others."""

    name: str
    suite: str
    rules: tuple[str, ...]
    along: tuple[str, ...] = ()


def read_energy_defects() -> list[EnergyDefect]:
    """Read the table of defects."""
    table = tomllib.loads((FOLDER / "defects.toml").read_text(encoding="utf-8"))
    return [
        EnergyDefect(name=name, suite=row["suite"], rules=tuple(row["rules"]), along=tuple(row.get("along", ())))
        for name, row in table.items()
    ]


@contextmanager
def energy_image(plain_image: str, run: Run) -> Iterator[str]:
    """Make the image over the plain container's, whose HTTP it shares, and remove it."""
    with closing(docker.from_env()) as engine:
        files = _files()
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in files.values())).hexdigest()[:12]
        tag = f"energy-{digest}-{run.id}"
        name = lay_over(engine, plain_image, files, tag=tag, environment={}, labels=run.labels, entrypoint=_ENTRYPOINT)
        try:
            yield name
        finally:
            engine.images.remove(name, force=True)


@contextmanager
def all_defects(image: str, run: Run) -> Iterator[str]:
    """Start one container that serves every defect, each under its name, and yield its base URL."""
    launch = Launch(arguments=(), environment={"PYTHONPATH": "/app"}, options={"entrypoint": ["python", HOST]})
    sut = Sut(image, load_profile(PROFILE), run, launch=launch).start()
    try:
        sut.wait_ready()
        yield sut.url
    finally:
        sut.remove()


_ENTRYPOINT = ["python", "/app/forecast.py"]


def _files() -> Mapping[str, Path]:
    own = {f"/app/{path.name}": path for path in sorted(FOLDER.glob("*.py"))}
    return own | {f"/app/defects/{path.name}": path for path in sorted((FOLDER / "defects").glob("*.py"))}
