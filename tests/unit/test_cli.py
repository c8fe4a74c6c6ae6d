"""The command line as a whole: what becomes of it when nobody reads on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness import cli

if TYPE_CHECKING:
    import argparse


@pytest.mark.parametrize("arguments", [["profile", "explain"], ["profile", "schema"]])
def test_who_reads_no_further_gets_no_traceback(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "harness.cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stderr is not None
        harness.stdout.close()
        assert harness.stderr.read() == ""
        assert harness.wait() == 141


def test_who_interrupts_gets_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_doctor", interrupted)
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == "harness: interrupted\n"


def test_another_broken_pipe_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: argparse.Namespace) -> int:
        msg = "a socket"
        raise BrokenPipeError(msg)

    monkeypatch.setattr(cli, "_doctor", broken)
    with open("/dev/null", "w") as out, monkeypatch.context() as patched:  # noqa: PTH123 - a stream that never breaks
        patched.setattr(sys, "stdout", out)
        with pytest.raises(BrokenPipeError, match="a socket"):
            cli.main(["doctor"])
