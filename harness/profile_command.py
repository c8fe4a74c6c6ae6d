"""`harness profile`: what a profile may say, whether one is right, its schema for editors, a first one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_WRONG_USAGE = 4


def add_profile(parser: argparse.ArgumentParser, kind: type[argparse.ArgumentParser]) -> None:
    """Declare `harness profile`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=kind)
    explain = commands.add_parser("explain", help="every key: type, unit, default, what it means, who looks at it")
    explain.add_argument("words", metavar="WORD", nargs="*", help="only keys and tables that hold one of these words")
    explain.set_defaults(run=_explain)
    check = commands.add_parser("check", help="all that is wrong with a profile, one sentence each")
    check.add_argument("file", metavar="FILE.toml", type=Path)
    check.set_defaults(run=_check)
    _add_init(commands.add_parser("init", help="look at a container, and write its first profile"))
    schema = commands.add_parser("schema", help="the JSON Schema of profiles, for editors")
    schema.set_defaults(run=_schema)


def _add_init(init: argparse.ArgumentParser) -> None:
    init.add_argument("--sut-image", metavar="IMAGE", help="the image to look at (default: the reference container)")
    init.add_argument("--sut-url", metavar="URL", help="a running endpoint to look at instead")
    init.add_argument(
        "--sut-profile", metavar="FILE.toml", type=Path, help="what is known: its window, and how it is started"
    )
    init.add_argument(
        "--port",
        metavar="N",
        type=int,
        action="append",
        help="where it listens, beside the usual ports; may be repeated",
    )
    init.add_argument("--output", metavar="FILE.toml", type=Path, help="where to write it (default: standard output)")
    init.set_defaults(run=_init)


def _init(chosen: argparse.Namespace) -> int:
    from harness.profile_init_command import run_init  # noqa: PLC0415 - a command loads what it needs

    return run_init(chosen)


def _explain(chosen: argparse.Namespace) -> int:
    from harness.contract.explanation import explained  # noqa: PLC0415 - a command loads what it needs

    text = "\n".join(explained(chosen.words)).strip()
    if not text:
        return _refuse(f"no key holds {' or '.join(chosen.words)}: `harness profile explain` lists all")
    _say(text)
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from harness.contract.profile import problems  # noqa: PLC0415 - a command loads what it needs
    from harness.contract.tables import ProfileInvalid  # noqa: PLC0415 - likewise

    try:
        found = problems(chosen.file)
    except ProfileInvalid as error:
        return _refuse(str(error))
    for sentence in found:
        _say(f"{chosen.file}: {sentence}")
    if found:
        return _WRONG_USAGE
    _say(f"{chosen.file}: nothing is wrong with it")
    return 0


def _schema(_: argparse.Namespace) -> int:
    from harness.contract.explanation import schema  # noqa: PLC0415 - a command loads what it needs

    _say(json.dumps(schema(), indent=2))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - printing is what a command does


def _refuse(why: str) -> int:
    print(f"harness: {why}", file=sys.stderr)  # noqa: T201 - likewise
    return _WRONG_USAGE
