"""`harness audit data`: what a reviewer should know of a data set, as text, as JSON, and in the report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.tables import ProfileInvalid

if TYPE_CHECKING:
    import argparse

    from harness.audit.finding import Audit
    from harness.contract.profile import Profile

_UNKNOWN, _WRONG_USAGE = 2, 4


def add_audit_data(parser: argparse.ArgumentParser) -> None:
    """Declare `harness audit data`."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="CSV or Parquet; several are one series")
    parser.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what the fields are called, and mean")
    parser.add_argument("--price-now", metavar="PRICE", type=_price, help="today's price: does the data set know it?")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("--report-dir", metavar="DIR", type=Path, help="write audit-data.json and report.html there")
    parser.set_defaults(run=_run)


def _price(text: str) -> float:
    price = float(text)
    if not 0 < price < float("inf"):
        raise ValueError(text)
    return price


def _run(chosen: argparse.Namespace) -> int:
    from harness.contract.profile import DEFAULT_PROFILE, load_profile  # noqa: PLC0415 - a command loads what it needs

    try:
        profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
    except ProfileInvalid as error:
        return _refuse(str(error), status=_WRONG_USAGE)
    try:
        found = _audited(chosen, profile)
        _tell(found, chosen)
    except OSError as error:
        return _refuse(str(error), status=_UNKNOWN)
    return found.exit_status


def _audited(chosen: argparse.Namespace, profile: Profile) -> Audit:
    """Audit; what cannot be read is an audit that could not tell."""
    from harness.audit.data_audit import audit_data  # noqa: PLC0415 - a command loads what it needs
    from harness.audit.data_files import DataUnreadable  # noqa: PLC0415 - likewise
    from harness.audit.finding import Audit  # noqa: PLC0415 - likewise
    from harness.report.progress_line import ProgressLine  # noqa: PLC0415 - likewise

    line = ProgressLine()
    try:
        return audit_data(chosen.files, profile, price_now=chosen.price_now, show=line.show)
    except DataUnreadable as error:
        name = ", ".join(str(path) for path in chosen.files)
        return Audit(subject="data", name=name, findings=(), untold=(str(error),))
    finally:
        line.clear()


def _tell(found: Audit, chosen: argparse.Namespace) -> None:
    from harness.audit.telling import told  # noqa: PLC0415 - a command loads what it needs

    if chosen.format == "json":
        print(found.to_json(), flush=True)  # noqa: T201 - printing is what a command does
    elif found.findings:
        print(told(found), flush=True)  # noqa: T201 - likewise
    for sentence in found.untold if chosen.format == "json" or not found.findings else ():
        _refuse(sentence, status=_UNKNOWN)
    if chosen.report_dir is not None:
        from harness.report.report import keep_audit  # noqa: PLC0415 - a command loads what it needs

        page = keep_audit(found, chosen.report_dir)
        if chosen.format == "text":
            print(f"report   {page}", flush=True)  # noqa: T201 - as above


def _refuse(why: str, *, status: int) -> int:
    print(f"harness: {why}", file=sys.stderr)  # noqa: T201 - as above
    return status
