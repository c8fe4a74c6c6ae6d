"""The arguments of `harness monitor` and `harness alerts`: declared here, so that asking for help loads nothing."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MODES = ("auto", "off", "console", "slack")
_FORMATS = ("text", "json")


def add_monitor(parser: argparse.ArgumentParser) -> None:
    """Declare `harness monitor`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--sut-url", metavar="URL", help="the endpoint to look at")
    which.add_argument("--sut-container", metavar="NAME", help="the container on this machine to look at")
    parser.add_argument("--once", action="store_true", help="look once: 0 all is well, 1 something is wrong, 2 unclear")
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what it promises, and how often to look")
    parser.add_argument("--feed", metavar="FEED", help="what the service is given: FILE.csv, URL or module:function")
    parser.add_argument("--second-feed", metavar="FEED", help="another source of the same, to compare the feed with")
    parser.add_argument("--variant", metavar="NAME", default="", help="which of several behind one target this is")
    modes = ", ".join(_MODES)
    parser.add_argument("--sut-alerts", metavar="MODE", choices=_MODES, default="auto", help=f"one of {modes}")
    parser.add_argument("--sut-ledger", metavar="FILE", type=Path, help="another ledger than this user's")
    parser.set_defaults(run=_monitor)


def _monitor(chosen: argparse.Namespace) -> int:
    from harness.monitor_command import run_monitor  # noqa: PLC0415 - a command loads what it needs

    return run_monitor(chosen, lambda line: print(line, flush=True))  # noqa: T201 - printing is what a command does


def add_alerts(parser: argparse.ArgumentParser, action: str) -> None:
    """Declare `harness alerts list`, `resend`, `silence` or `test`."""
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="channel, row keys and suppression")
    parser.add_argument("--sut-ledger", metavar="FILE", type=Path, help="another ledger than this user's")
    if action == "list":
        parser.add_argument("--format", choices=_FORMATS, default="text", help="default: %(default)s")
    if action == "silence":
        parser.add_argument("key", metavar="KEY", help="the beginning of a key, as `harness alerts list` shows it")
        parser.add_argument(
            "--for", dest="duration", metavar="2h", type=_duration_s, required=True, help="such as 90s, 30m, 2h, 1d"
        )
    parser.set_defaults(run=_alerts, action=action)


def _alerts(chosen: argparse.Namespace) -> int:
    from harness.alerts_command import run_alerts  # noqa: PLC0415 - a command loads what it needs

    return run_alerts(chosen)


def _duration_s(text: str) -> float:
    found = _DURATION.fullmatch(text.strip())
    if found is None or not float(found[1]):
        msg = f"write it as 90s, 30m, 2h or 1d, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return float(found[1]) * _UNITS_S[found[2]]
