"""The line that says how far a run is: on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.progress import Stand
from harness.report.durations import Forecast

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

NOTHING_KNOWN = Forecast(checks={}, files={})
CHECKS = [("contract", "contract/a.py::test_one"), ("chaos", "chaos/b.py::test_two[kill]")]
RUN = """
    import pytest
    from harness.contract.judge import Violation, demand

    pytestmark = pytest.mark.contract

    @pytest.mark.rule("C2")
    def test_kept(): print("this is captured")

    @pytest.mark.rule("C3")
    def test_broken(): demand([Violation(rule="C3", expected="200", actual="503")])
"""


def stand(**changes: float) -> Stand:
    return Stand(checks=CHECKS, **{"done": 0, "failed": 0, "spent_s": 0.0, **changes})  # type: ignore[arg-type]  # by name


def test_line_says_suite_check_and_what_failed() -> None:
    assert stand().line(NOTHING_KNOWN, 80) == "contract 1 of 2  test_one"
    assert stand(done=1, failed=3).line(NOTHING_KNOWN, 80) == "chaos    2 of 2, 3 failed  test_two[kill]"
    assert stand(done=2).line(NOTHING_KNOWN, 80) == ""


def test_line_says_the_time_that_is_left_where_it_is_known() -> None:
    known = Forecast(checks={CHECKS[0][1]: 70.0, CHECKS[1][1]: 30.0}, files={})
    assert stand(spent_s=5.0).line(known, 80) == "contract 1 of 2, about 1:35 left  test_one"


def test_line_is_no_longer_than_the_terminal_is_wide() -> None:
    assert stand(done=1).line(NOTHING_KNOWN, 20) == "chaos    2 of 2  tes"


def test_it_stands_on_a_terminal_in_place_of_dots(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(RUN)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "harness.progress"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(
        [*command, "--sut-alerts=off"], cwd=pytester.path, stdout=theirs, env=environment, check=False, timeout=60
    )
    os.close(theirs)
    seen = b""
    while chunk := _read(ours):
        seen += chunk
    words = seen.decode()
    head = words.partition("FAILURES")[0]
    assert "\r\x1b[2Kcontract 1 of 2  test_kept" in head
    assert "\r\x1b[2KFAILED test_it_stands_on_a_terminal_in_place_of_dots.py::test_broken\r\n" in head
    assert not re.search(r"^[.F]+", head, re.MULTILINE)
    assert words.count("\x1b[2KFAILED") == 1
    assert "1 failed" in words.splitlines()[-1]


def test_it_is_quiet_where_nobody_watches(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(RUN)
    ended = pytester.runpytest_inprocess("-q", "-p", "harness.progress", "--sut-alerts=off")
    assert "\x1b[2K" not in ended.stdout.str()
    ended.stdout.fnmatch_lines([".F*"])


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so where the other side is closed
        return b""
