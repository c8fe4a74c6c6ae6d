"""The arguments of `harness chaos`: declared here, so that asking for help loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

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


def _memory_mb(text: str) -> int:
    number = int(text)
    if number < _LEAST_MB:
        raise ValueError(text)
    return number
