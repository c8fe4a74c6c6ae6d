"""The rooms of the house: imports run downwards, and each big package has one door."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "harness"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {"contract": 0, "system": 1, "faults": 2, "experiment": 3, "load": 4, "alerts": 4, "audit": 4}
FLOORS |= {"release": 5, "report": 6, "survey": 6, "pytest_fixtures": 7, "plugin": 7, "cli": 7}

DOORS = {
    "docker": "system/",
    "testcontainers": "system/",
    "requests": "system/client.py",
    "slack_sdk": "alerts/slack.py",
    "aiohttp": "release/",
    "locust": "load/",
    "gevent": "load/",
    "boto3": "release/",
    "botocore": "release/",
}
PATCHING = {"locust", "gevent"}  # patch the interpreter: only for the load generator's own process


def imports_of(module: Path) -> list[str]:
    """Name every module that this one imports, wherever in the file; a name imported may be a module too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import hides its room"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room_of(dotted: str) -> str:
    return dotted.split(".")[1] if "." in dotted else ""


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(module: Path) -> None:
    own = module.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in (name for name in imports_of(module) if name.startswith("harness.")):
        room = room_of(name)
        allowed = room == own or room not in FLOORS or FLOORS[room] < FLOORS.get(own, 7) or own in {"plugin", "cli"}
        assert allowed, f"{own} must not import {name}: imports run downwards only"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_big_package_has_one_door(module: Path) -> None:
    place = module.relative_to(PACKAGE).as_posix()
    for name in imports_of(module):
        door = DOORS.get(name.split(".")[0])
        assert door is None or place.startswith(door), f"{place} imports {name}; only {door} may"


def test_what_patches_the_interpreter_stays_in_the_load_generators_process() -> None:
    names = {path: "harness." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in MODULES}
    patching = {path for path in MODULES if PATCHING & {name.split(".")[0] for name in imports_of(path)}}
    for module in set(MODULES) - patching:
        for path in patching:
            inside = any(f"{name}.".startswith(f"{names[path]}.") for name in imports_of(module))
            assert not inside, f"{names[module]} imports {names[path]}, which imports gevent or Locust"
