"""The command line: set up, examine, run the gate."""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from harness import __version__
from harness.alert_arguments import add_alerts, add_monitor
from harness.arguments import add_judge, add_memory
from harness.audit_command import add_audit
from harness.compare_command import add_compare
from harness.contract.rules import SUITES
from harness.endpoint_command import add_up
from harness.load_arguments import add_load
from harness.profile_command import add_profile
from harness.release_command import add_release
from harness.sagemaker_command import add_sagemaker

if TYPE_CHECKING:
    from collections.abc import Sequence

WRONG_USAGE = 4
NO_READER, INTERRUPTED = 128 + signal.SIGPIPE, 128 + signal.SIGINT


class _Parser(argparse.ArgumentParser):
    """Ends with status 4 for wrong usage: 2 says that a verdict is unknown."""

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse says NoReturn, and so it is
        self.print_usage(sys.stderr)
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; that of any program where nobody reads on, or at Ctrl-C: no verdict."""
    chosen = _parser().parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("harness: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        if not _has_no_reader(sys.stdout):
            raise
        # Nothing is left to be written when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    return status


def _has_no_reader(out: TextIO) -> bool:
    """Whether a stream leads into a pipe whose other end is closed, as after `| head`."""
    poll = select.poll()
    poll.register(out.fileno(), select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="harness", description="May this image be promoted? Tests a container that serves a model.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _add_gate(commands.add_parser("gate", help="run the suites, say PASSED, FAILED or UNKNOWN"))
    _add_chaos(commands.add_parser("chaos", help="judge the record of an experiment again, or find the least memory"))
    add_load(commands.add_parser("load", help="load a container: at one rate, for long, by hand, or to its limit"))
    add_audit(commands.add_parser("audit", help="is this data set, is this model, fit for its purpose?"), _Parser)
    add_compare(commands.add_parser("compare", help="may a challenger take the champion's place? Side by side"))
    add_release(commands.add_parser("release", help="traffic goes over to a challenger, and back at an alarm"))
    add_sagemaker(commands.add_parser("sagemaker", help="a release as SageMaker's configuration: plan, apply"), _Parser)
    endpoint = commands.add_parser("endpoint", help="an endpoint of SageMaker's kind on this machine: A/B, shadow")
    actions = endpoint.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    add_up(actions.add_parser("up", help="bring it up, say how to call it and what each variant gets, until Ctrl-C"))
    add_profile(
        commands.add_parser("profile", help="what a profile may say, whether one is right, and a first one"), _Parser
    )
    report = commands.add_parser("report", help="write report.html anew, from the records in a report's folder")
    report.add_argument("folder", metavar="DIR", type=Path, help="the folder that holds verdict.json")
    report.set_defaults(run=_report)
    add_monitor(commands.add_parser("monitor", help="look at a service every few minutes, and tell what is wrong"))
    _add_alerts(commands.add_parser("alerts", help="what is wrong and what was told; tell the rest; silence; test"))
    setup = commands.add_parser("setup", help="make Docker, the base image and the reference image ready")
    setup.set_defaults(run=_setup)
    doctor = commands.add_parser("doctor", help="say what is there, what is missing, and what mends it")
    doctor.set_defaults(run=_doctor)
    return parser


def _add_chaos(chaos: argparse.ArgumentParser) -> None:
    commands = chaos.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    add_judge(commands.add_parser("judge", help="judge a record from its file alone; 0 PASSED, 1 FAILED, 2 UNKNOWN"))
    add_memory(commands.add_parser("memory", help="find the least memory that holds the profile's load"))


def _add_alerts(alerts: argparse.ArgumentParser) -> None:
    commands = alerts.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for action, what in (
        ("list", "what is or was wrong, since when, and when it was told"),
        ("resend", "tell what could not be told, and nothing twice"),
        ("silence", "tell nothing of one alert for a while"),
        ("test", "post a message that means nothing, bring it up to date, and say what works"),
    ):
        add_alerts(commands.add_parser(action, help=what), action)


def _add_gate(gate: argparse.ArgumentParser) -> None:
    gate.add_argument("--sut-image", metavar="IMAGE", help="the image to test (default: the reference container)")
    gate.add_argument("--sut-url", metavar="URL", help="a running endpoint to test instead; it is never harmed")
    gate.add_argument("--sut-profile", metavar="FILE.toml", help="what the container promises")
    gate.add_argument("--sut-history", metavar="FILE.csv", help="recorded series to take windows from")
    gate.add_argument("--sut-seed", metavar="N", help="seed of generated series and of choices")
    gate.add_argument("--sut-effort", metavar="EFFORT", help="quick, normal or thorough")
    gate.add_argument("--sut-alerts", metavar="MODE", help="auto, off, console or slack")
    gate.add_argument("--sut-ledger", metavar="FILE", help="what was told already; machines may share it")
    gate.add_argument(
        "--suite", metavar="SUITE", action="append", choices=SUITES, help=f"one of {', '.join(SUITES)}; may be repeated"
    )
    gate.add_argument(
        "--checks", metavar="PATH", action="append", type=Path, help="checks of your own beside them; may be repeated"
    )
    gate.add_argument(
        "--report-dir", metavar="DIR", type=Path, default=Path("reports/gate"), help="default: %(default)s"
    )
    gate.add_argument(
        "--github", action="store_true", help="show the verdict as annotations and job summary of a GitHub workflow"
    )
    gate.set_defaults(run=_gate)


def _gate(chosen: argparse.Namespace) -> int:
    from harness.gate import GateWish, run_gate  # noqa: PLC0415 - a command loads what it needs

    if chosen.sut_url and "chaos" in (chosen.suite or ()):
        return _refuse("--suite chaos and --sut-url exclude each other: a remote endpoint is never harmed")
    missing = [path for path in chosen.checks or () if not path.exists()]
    if missing:
        return _refuse(f"--checks: there is no {missing[0]}")
    options = {
        name.replace("_", "-"): value for name, value in vars(chosen).items() if name.startswith("sut_") and value
    }
    suites = tuple(suite for suite in SUITES if suite in (chosen.suite or _default_suites(chosen)))
    wish = GateWish(
        options=options,
        suites=suites,
        report_dir=chosen.report_dir,
        checks=tuple(chosen.checks or ()),
        github=chosen.github,
    )
    return run_gate(wish, say=_say).exit_status


def _report(chosen: argparse.Namespace) -> int:
    from harness.report.report import NoReport, write_report  # noqa: PLC0415 - a command loads what it needs

    try:
        _say(f"report   {write_report(chosen.folder)}")
    except NoReport as error:
        return _refuse(str(error), status=2)
    return 0


def _default_suites(chosen: argparse.Namespace) -> tuple[str, ...]:
    return tuple(suite for suite in SUITES if not (chosen.sut_url and suite == "chaos"))


def _setup(_: argparse.Namespace) -> int:
    from harness.system import NotSetUp  # noqa: PLC0415 - a command loads what it needs
    from harness.system.engine import ensure_engine  # noqa: PLC0415 - likewise
    from harness.system.faketime import ensure_library  # noqa: PLC0415 - likewise
    from harness.system.reference_image import ensure_reference_image  # noqa: PLC0415 - likewise

    try:
        name = ensure_reference_image(ensure_engine(say=_say), say=_say)
        ensure_library(_say)
    except NotSetUp as error:
        return _refuse(str(error), status=2)
    _say(f"ready: {name}")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from harness.system.doctor import examine, render  # noqa: PLC0415 - a command loads what it needs

    findings = examine()
    _say(render(findings))
    return 0 if all(finding.state == "ok" for finding in findings) else 2


def _refuse(why: str, *, status: int = WRONG_USAGE) -> int:
    print(f"harness: {why}", file=sys.stderr)
    return status


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
