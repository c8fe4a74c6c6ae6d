"""`harness audit model`: is this model fit to serve? Asked from outside, or looked at as it was saved."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_WRONG_USAGE = 4
_LEAST_WINDOWS, _WINDOWS = 200, 1_500


def add_audit_model(parser: argparse.ArgumentParser) -> None:
    """Declare `harness audit model`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--sut-image", metavar="IMAGE", help="the image whose model is asked")
    which.add_argument("--sut-url", metavar="URL", help="a running endpoint to ask instead")
    which.add_argument("--saved-model", metavar="DIR", type=Path, help="a TensorFlow SavedModel to look into")
    parser.add_argument(
        "--history", metavar="FILE.csv", type=Path, required=True, help="recorded series, in the window's layout"
    )
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what the container promises")
    parser.add_argument(
        "--windows", metavar="N", type=_windows, default=_WINDOWS, help="how many to ask (default: %(default)s)"
    )
    parser.add_argument(
        "--verdict", metavar="FILE", type=Path, help="verdict.json of the suites, for the checklist (default: DIR's)"
    )
    parser.add_argument(
        "--python", metavar="FILE", help="an interpreter with TensorFlow (default: the reference image's)"
    )
    parser.add_argument("--report-dir", metavar="DIR", type=Path, help="write audit-model.json and report.html there")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(run=run_audit_model)


def run_audit_model(chosen: argparse.Namespace) -> int:
    """Audit, show and keep what was found, and return 0 where nothing blocks, 1 where something does, 2 if unknown."""
    from harness.audit.model_run import Refused, audited  # noqa: PLC0415 - a command loads what it needs
    from harness.audit.telling import told  # noqa: PLC0415 - likewise
    from harness.report.report import keep_audit  # noqa: PLC0415 - likewise

    try:
        audit = audited(chosen)
    except Refused as error:
        print(f"harness: {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return _WRONG_USAGE
    print(audit.to_json() if chosen.format == "json" else told(audit), flush=True)  # noqa: T201 - a command speaks
    if chosen.report_dir is not None:
        page = keep_audit(audit, chosen.report_dir)
        print(f"report   {page}", file=sys.stderr)  # noqa: T201 - likewise
    return audit.exit_status


def _windows(text: str) -> int:
    if not text.isdecimal() or int(text) < _LEAST_WINDOWS:
        msg = f"must be a whole number from {_LEAST_WINDOWS} on: of fewer windows no skill can be told"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
