"""The arguments of `harness load`: declared here, so that asking for help loads nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_REPORT_DIR = Path("reports/load")
_MOST_PER_S = 2_000.0
_PAGE_PORT, _MASTER_PORT = 8089, 5557
_LOOPBACK = "127.0.0.1"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def add_load(parser: argparse.ArgumentParser) -> None:
    """Declare `harness load`."""
    _add_subject(parser)
    parser.add_argument("--rate", metavar="N", type=above_0, help="requests/s (default: the profile's)")
    parser.add_argument("--duration", metavar="TIME", type=seconds, help="what counts: 90, 90s, 15m (default: profile)")
    _add_ways(parser)
    _add_crew(parser)
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="seed of what is generated (default: 1)")
    parser.add_argument("--report-dir", metavar="DIR", type=Path, default=_REPORT_DIR, help="default: %(default)s")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=_load)


def _add_subject(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sut-image", metavar="IMAGE", help="the image to load (default: the reference container)")
    which.add_argument("--sut-url", metavar="URL", help="a running endpoint to load instead")
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what the container promises")
    parser.add_argument("--sut-history", metavar="FILE.csv", type=Path, help="recorded series to take windows from")


def _add_ways(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--search", action="store_true", help="find the highest rate that keeps the budget")
    ways.add_argument("--soak", metavar="TIME", type=seconds, help="one rate for long (90s, 15m, 1h): does it grow?")
    ways.add_argument("--ui", action="store_true", help="open Locust's page here, to steer the rate by hand")
    ways.add_argument("--worker", action="store_true", help="send a part of a master's load; all else is its affair")
    parser.add_argument("--most", metavar="N", type=above_0, default=_MOST_PER_S, help="--search ends at %(default)g/s")
    parser.add_argument("--port", metavar="N", type=int, default=_PAGE_PORT, help="of --ui's page (%(default)s)")


def _add_crew(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--master", action="store_true", help="let workers send the load, on this machine or others")
    parser.add_argument("--expect-workers", metavar="N", type=_at_least_1, default=1, help="default: %(default)s")
    parser.add_argument("--master-host", metavar="ADDRESS", default=_LOOPBACK, help="of the master (%(default)s)")
    parser.add_argument("--master-port", metavar="N", type=int, default=_MASTER_PORT, help="default: %(default)s")


def _load(chosen: argparse.Namespace) -> int:
    from harness.load_command import run_load  # noqa: PLC0415 - a command loads what it needs

    return run_load(chosen)


def above_0(text: str) -> float:
    """Read a number above 0."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def seconds(text: str) -> float:
    """Read a time above 0: 90, 90s, 15m or 1h."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return above_0(str(float(found[1]) * _SECONDS[found[2]]))


def _at_least_1(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
