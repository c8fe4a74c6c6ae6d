"""Each seeded defect is caught by the check for its rule, and rules that it does not touch pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.detection.layers import FOLDERS, Defect, read_defects

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from tests.detection.verdicts import Verdicts

pytestmark = pytest.mark.detection

DEFECTS = read_defects()


IS_WHOLE = os.environ.get("PROOF_DETECTION") == "whole"


def _case(defect: Defect) -> ParameterSet:
    marks = [pytest.mark.proof] if defect.proof and not IS_WHOLE else []
    return pytest.param(defect, id=defect.name, marks=marks)


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("defect", [_case(defect) for defect in DEFECTS])
def test_defect_is_caught_under_its_rule(defect: Defect, judged: Verdicts) -> None:
    found = judged.of(defect)
    assert found.is_of(defect), f"{found.verdict}, rules that failed: {sorted(found.failed)}\n{found.printed}"


def test_every_suite_has_a_defect() -> None:
    assert {defect.suite for defect in DEFECTS} == set(FOLDERS)
