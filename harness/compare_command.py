"""`harness compare`: whether a challenger may take the champion's place, side by side on the same windows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.release.judge import Judgement

_UNKNOWN, _WRONG_USAGE = 2, 4
_REPORT_DIR = Path("reports/compare")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Declare `harness compare`."""
    parser.add_argument("--champion", metavar="IMAGE", help="the image that serves")
    parser.add_argument("--challenger", metavar="IMAGE", help="the image that is to take its place")
    parser.add_argument("--judge", metavar="FILE", type=Path, help="judge a record again, or one that is being written")
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what both promise")
    parser.add_argument("--sut-history", metavar="FILE.csv", type=Path, help="recorded series to take windows from")
    parser.add_argument("--windows", metavar="N", type=_windows, help="how many good ones to send (default: profile's)")
    parser.add_argument("--sequential", action="store_true", help="look on the way, and end as soon as it is decided")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="seed of what is generated (default: 1)")
    parser.add_argument("--report-dir", metavar="DIR", type=Path, default=_REPORT_DIR, help="default: %(default)s")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=run_compare)


def run_compare(chosen: argparse.Namespace) -> int:
    """Compare, say what was decided, and return 0 PROMOTE, 1 REJECT, 3 INCONCLUSIVE, 2 unknown, 4 wrong usage."""
    from harness.release.judge import CannotTell  # noqa: PLC0415 - a command loads what it needs
    from harness.release.match import Refused, compared  # noqa: PLC0415 - likewise

    try:
        _refuse_nonsense(chosen)
        judgement = compared(chosen, say=_say)
    except (Refused, _Nonsense) as error:
        _say(f"harness: {error}")
        return _WRONG_USAGE
    except CannotTell as error:
        return _tell_unknown(str(error), chosen)
    _tell(judgement, chosen)
    return judgement.decision.exit_status


class _Nonsense(Exception):  # noqa: N818 - named by what happened
    """The command line asks for what cannot be."""


def _refuse_nonsense(chosen: argparse.Namespace) -> None:
    has_images = chosen.champion is not None and chosen.challenger is not None
    if (chosen.judge is None) != has_images or (chosen.judge and (chosen.champion or chosen.challenger)):
        msg = "name --champion IMAGE and --challenger IMAGE, or a record that is there already: --judge FILE"
        raise _Nonsense(msg)


def _tell(judgement: Judgement, chosen: argparse.Namespace) -> None:
    from harness.release.printout import printed  # noqa: PLC0415 - a command loads what it needs

    text = judgement.to_json()
    if chosen.judge is None:
        (chosen.report_dir / "compare.json").write_text(text + "\n", encoding="utf-8")
    print(text if chosen.format == "json" else printed(judgement))  # noqa: T201 - a command speaks


def _tell_unknown(why: str, chosen: argparse.Namespace) -> int:
    import json  # noqa: PLC0415 - a command loads what it needs

    if chosen.format == "json":
        print(json.dumps({"schema": 1, "decision": "UNKNOWN", "reasons": [why]}, indent=2))  # noqa: T201 - likewise
    else:
        print(f"UNKNOWN: {why}")  # noqa: T201 - likewise
    return _UNKNOWN


def _windows(text: str) -> int:
    if not text.isdecimal() or not int(text):
        msg = "must be a whole number from 1 on"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what goes on; the standard output is for what was decided
