"""C10, C11: what holds for every answer held for each of this run, however rarely it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.contract.witness import Witness

pytestmark = pytest.mark.dq


@pytest.mark.rule("C10", "C11")
def test_every_answer_had_its_request_id_and_every_refusal_its_error(witness: Witness) -> None:
    """X-Request-Id MUST be on every answer, and every answer that is not 2xx MUST be the JSON error object."""
    if not witness.seen:
        pytest.skip("no other check has asked anything")
    witness.demand_all_kept()
