"""The README's table of rules is what the suites and the defects are."""

from tests.detection.layers import read_defects
from tests.detection.rules_table import in_readme, table


def test_the_readme_has_the_table_of_today() -> None:
    assert in_readme() == table(), "write it anew: make table"


def test_every_defect_says_what_it_does() -> None:
    for defect in read_defects():
        assert defect.path.read_text(encoding="utf-8").startswith('"""'), defect.path
