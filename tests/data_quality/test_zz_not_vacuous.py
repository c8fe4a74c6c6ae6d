"""The suite must have proved something: most good windows answered, every breach sent. Not a rule of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.contract.vacuity import Tally

pytestmark = pytest.mark.dq


def test_the_suite_was_not_vacuous(tally: Tally) -> None:
    """Where fewer than 95 % of the good windows were answered, or a breach was never sent, nothing is known."""
    tally.ensure_worth()
