"""The rooms of the house: imports run downwards, and each big package has one door."""

import ast
from functools import cache
from pathlib import Path

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


@cache
def imports_of(module: Path) -> tuple[str, ...]:
    """Name every module that this one imports, wherever in the file; a name imported may be a module too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import hides its room"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def place_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def room_of(dotted: str) -> str:
    return dotted.split(".")[1] if "." in dotted else ""


def is_allowed(own: str, name: str) -> bool:
    room = room_of(name)
    return room == own or room not in FLOORS or FLOORS[room] < FLOORS.get(own, 7) or own in {"plugin", "cli"}


def test_imports_run_downwards() -> None:
    upwards = [
        f"{place_of(module)} must not import {name}"
        for module in MODULES
        for name in imports_of(module)
        if name.startswith("harness.") and not is_allowed(module.relative_to(PACKAGE).with_suffix("").parts[0], name)
    ]
    assert upwards == []


def test_each_big_package_has_one_door() -> None:
    beside = [
        f"{place_of(module)} imports {name}; only {door} may"
        for module in MODULES
        for name in imports_of(module)
        if (door := DOORS.get(name.split(".")[0])) is not None and not place_of(module).startswith(door)
    ]
    assert beside == []


def test_what_patches_the_interpreter_stays_in_the_load_generators_process() -> None:
    names = {path: "harness." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in MODULES}
    patching = {path for path in MODULES if PATCHING & {name.split(".")[0] for name in imports_of(path)}}
    for module in set(MODULES) - patching:
        for path in patching:
            inside = any(f"{name}.".startswith(f"{names[path]}.") for name in imports_of(module))
            assert not inside, f"{names[module]} imports {names[path]}, which imports gevent or Locust"
