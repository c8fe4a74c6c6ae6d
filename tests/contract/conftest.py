"""What the checks of bare bytes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Client
    from harness.system.patience import Patience


@pytest.fixture
def ground(
    sut_url: str,
    profile: Profile,
    fresh_window: Callable[[], Window],
    fresh_client: Callable[[], Client],
    patience: Patience,
) -> Ground:
    """Give these checks what they stand on."""
    return Ground.at(sut_url, profile, fresh_window, fresh_client, patience)
