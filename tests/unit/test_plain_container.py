"""The second good container: its Dockerfile, for people, says what its image, made without a build, starts."""

import ast
import json
import re
import sys

from tests.detection.plain import ENTRYPOINT, ENVIRONMENT, FOLDER

DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")


def test_the_dockerfile_starts_what_the_image_starts() -> None:
    (entrypoint,) = re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, flags=re.MULTILINE)
    (environment,) = re.findall(r"^ENV (.*)$", DOCKERFILE, flags=re.MULTILINE)
    assert json.loads(entrypoint) == ENTRYPOINT
    assert dict(pair.split("=") for pair in environment.split()) == ENVIRONMENT


def test_it_is_made_of_the_standard_library_alone() -> None:
    modules = sorted(FOLDER.glob("*.py"))
    own = {module.stem for module in modules}
    imported = {
        name.partition(".")[0]
        for module in modules
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= own | sys.stdlib_module_names
