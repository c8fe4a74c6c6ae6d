"""The reference container's modules import each other by plain names; and what takes longest is begun first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# In the image they lie side by side.
sys.path.append(str(Path(__file__).parents[2] / "reference_container"))

# Files that take longest, most of it waiting: pytest-xdist hands files out in the order of their tests, and none of
# these is to begin when the others are done.
LONGEST = (
    "test_monitor_watch",
    "test_network_faults",
    "test_load_known_truth",
    "test_alert_slack",
    "test_rollout",
    "test_proxy",
    "test_laboratory",
    "test_endpoint",
    "test_alert_crashes",
    "test_examples_are_replayed",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))
