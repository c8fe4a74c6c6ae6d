"""Each seeded defect is caught by the check for its rule, and rules that it does not touch pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.detection.layers import FOLDERS, Defect, read_defects

if TYPE_CHECKING:
    from concurrent.futures import Future

pytestmark = pytest.mark.detection

DEFECTS = read_defects()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_defect_is_caught_under_its_rule(defect: Defect, judged: dict[str, Future[dict[str, Any]]]) -> None:
    verdict = judged[defect.name].result(timeout=540)
    failed = {rule_id for rule_id, entry in verdict["rules"].items() if entry["outcome"] == "failed"}
    is_caught = verdict["verdict"] == "FAILED" and set(defect.rules) <= failed <= {*defect.rules, *defect.along}
    assert is_caught, f"{verdict['verdict']}, rules that failed: {sorted(failed)}\n{verdict['printed']}"


def test_every_suite_has_a_defect() -> None:
    assert {defect.suite for defect in DEFECTS} == set(FOLDERS)
