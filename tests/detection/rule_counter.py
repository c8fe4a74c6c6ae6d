"""A pytest plugin that prints, in place of running them, how many checks speak for each rule."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARK = "checks by rule: "


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print one line."""
    checks: Counter[str] = Counter()
    for item in session.items:
        checks.update({rule_id for mark in item.iter_markers("rule") for rule_id in mark.args})
    print(f"\n{MARK}{json.dumps(checks)}")  # noqa: T201 - the line is what is asked for
