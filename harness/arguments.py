"""The arguments of the commands: declared here, so that asking for help loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_REPORT_DIR = Path("reports/load")
_MOST_PER_S = 2_000.0
# Docker grants no container less.
_LEAST_MB = 6
_FORMATS = ("text", "json")


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Declare `harness chaos judge`."""
    parser.add_argument(
        "file", type=Path, metavar="FILE.jsonl", help="the record of an experiment, from chaos/ in a report"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the timeline too (.png or .svg)")
    parser.add_argument("--format", choices=_FORMATS, default="text", help="default: %(default)s")
    parser.set_defaults(run=_judge)


def _judge(chosen: argparse.Namespace) -> int:
    from harness.chaos_command import run_judge  # noqa: PLC0415 - a command loads what it needs

    return run_judge(chosen)


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Declare `harness chaos memory`."""
    parser.add_argument("--sut-image", metavar="IMAGE", help="the image to try (default: the reference container)")
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what the container promises")
    parser.add_argument(
        "--low", metavar="MIB", type=_memory_mb, default=_LEAST_MB, help="the least to try (default: %(default)s)"
    )
    parser.add_argument("--high", metavar="MIB", type=_memory_mb, help="the most to try (default: the profile's)")
    parser.add_argument("--format", choices=_FORMATS, default="text", help="default: %(default)s")
    parser.set_defaults(run=_memory)


def _memory(chosen: argparse.Namespace) -> int:
    from harness.memory_command import run_memory  # noqa: PLC0415 - a command loads what it needs

    return run_memory(chosen)


def add_load(parser: argparse.ArgumentParser) -> None:
    """Declare `harness load`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sut-image", metavar="IMAGE", help="the image to load (default: the reference container)")
    which.add_argument("--sut-url", metavar="URL", help="a running endpoint to load instead")
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what the container promises")
    parser.add_argument("--sut-history", metavar="FILE.csv", type=Path, help="recorded series to take windows from")
    parser.add_argument("--rate", metavar="N", type=_above_0, help="requests/s (default: the profile's)")
    parser.add_argument("--duration", metavar="S", type=_above_0, help="seconds that count (default: the profile's)")
    parser.add_argument("--search", action="store_true", help="find the highest rate that keeps the budget")
    parser.add_argument(
        "--most", metavar="N", type=_above_0, default=_MOST_PER_S, help="--search ends at %(default)g/s"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="seed of what is generated (default: 1)")
    parser.add_argument("--report-dir", metavar="DIR", type=Path, default=_REPORT_DIR, help="default: %(default)s")
    parser.add_argument("--format", choices=_FORMATS, default="text", help="default: %(default)s")
    parser.set_defaults(run=_load)


def _load(chosen: argparse.Namespace) -> int:
    from harness.load_command import run_load  # noqa: PLC0415 - a command loads what it needs

    return run_load(chosen)


def _above_0(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _memory_mb(text: str) -> int:
    number = int(text)
    if number < _LEAST_MB:
        raise ValueError(text)
    return number
