"""What the installed package has beside the code: the suites, at home in tests/, found by harness/home.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_TAKEN = ("pytest.toml", "tests/__init__.py", "tests/contract", "tests/data_quality", "tests/chaos", "tests/load")


class SuitesHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own parameter is not exported
    """Takes the suites along; an editable install has them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name what goes where in the wheel."""
        if version != "editable":
            root = Path(self.root)
            build_data["force_include"] |= {str(root / name): f"harness/suites/{name}" for name in _TAKEN}
