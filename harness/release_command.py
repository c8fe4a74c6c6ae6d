"""`harness release`: traffic goes over to a challenger on the local endpoint, and back where an alarm goes on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from harness.release.rollout.judge import Judge, Judgement

_UNKNOWN, _WRONG_USAGE = 2, 4
_REPORT_DIR = Path("reports/release")
_RELEASE = Path(__file__).parent / "profiles" / "release.toml"


def add_release(parser: argparse.ArgumentParser) -> None:
    """Declare `harness release`."""
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, default=Path("endpoint.toml"), help="the endpoint as it serves now"
    )
    parser.add_argument(
        "--release",
        metavar="FILE.toml",
        type=Path,
        default=_RELEASE,
        help="steps, bakes, alarms (default: %(default)s)",
    )
    parser.add_argument("--challenger", metavar="IMAGE", help="the image, or the URL, that is to take over")
    parser.add_argument("--judge", metavar="FILE", type=Path, help="judge the record of a release again")
    parser.add_argument("--sut-history", metavar="FILE.csv", type=Path, help="recorded series to take windows from")
    parser.add_argument("--rate", metavar="N", type=_rate, help="calls a second (default: the profile's)")
    parser.add_argument(
        "--callers", choices=("ours", "theirs"), default="ours", help="who calls the endpoint (default: %(default)s)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="seed of what is asked (default: 1)")
    parser.add_argument("--report-dir", metavar="DIR", type=Path, default=_REPORT_DIR, help="default: %(default)s")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=run_release)


def run_release(chosen: argparse.Namespace) -> int:
    """Release, say how it went, and return 0 PROMOTED, 1 ROLLED BACK, 2 UNKNOWN, 4 wrong usage."""
    from harness.release.endpoint import CannotServe  # noqa: PLC0415 - a command loads what it needs
    from harness.release.rollout.launch import Refused, released  # noqa: PLC0415 - likewise
    from harness.system import NotSetUp  # noqa: PLC0415 - likewise

    if (chosen.judge is None) == (chosen.challenger is None):
        _say("harness: name --challenger IMAGE, or a record that is there already: --judge FILE")
        return _WRONG_USAGE
    try:
        judgement = released(chosen, say=_say, tell=_tell_step)
    except Refused as error:
        _say(f"harness: {error}")
        return _WRONG_USAGE
    except (NotSetUp, CannotServe, OSError) as error:
        return _tell_unknown(str(error), chosen)
    _tell(judgement, chosen)
    return judgement.outcome.exit_status


def _tell(judgement: Judgement, chosen: argparse.Namespace) -> None:
    from harness.release.rollout.printout import outcome_line, step_line  # noqa: PLC0415 - a command loads what it needs

    text = json.dumps(judgement.to_content(), indent=2, ensure_ascii=False)
    if chosen.judge is None:
        (chosen.report_dir / "release.json").write_text(text + "\n", encoding="utf-8")
        _draw(judgement, chosen.report_dir)
    elif chosen.format == "text":
        print("\n".join(step_line(step) for step in judgement.steps))  # noqa: T201 - a command speaks
    print(text if chosen.format == "json" else outcome_line(judgement))  # noqa: T201 - likewise


def _draw(judgement: Judgement, folder: Path) -> None:
    from harness.release.rollout.launch import RECORD_FILE  # noqa: PLC0415 - as above
    from harness.release.rollout.record import read_record  # noqa: PLC0415 - as above
    from harness.report.release_plot import draw_release  # noqa: PLC0415 - as above

    _say(f"plot     {draw_release(judgement, read_record(folder / RECORD_FILE)[1], folder / 'release.png')}")


def _tell_step(judge: Judge) -> None:
    from harness.release.rollout.printout import step_line  # noqa: PLC0415 - a command loads what it needs

    _say(step_line(judge.steps[-1]))


def _tell_unknown(why: str, chosen: argparse.Namespace) -> int:
    if chosen.format == "json":
        print(json.dumps({"schema": 1, "outcome": "UNKNOWN", "why": why}, indent=2))  # noqa: T201 - as above
    else:
        print(f"UNKNOWN: {why}")  # noqa: T201 - as above
    return _UNKNOWN


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < float("inf"):
        raise ValueError(text)
    return rate


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what goes on; the standard output is for how it ended
