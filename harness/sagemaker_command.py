"""`harness sagemaker`: a release as configuration of SageMaker's, written out or applied."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from harness.release.sagemaker.plan import Plan

_UNKNOWN, _WRONG_USAGE = 2, 4
_FOLDER = Path("sagemaker")


class _Refused(Exception):  # noqa: N818 - named by what happened
    """The command line, or a file that it names, asks for what cannot be."""


def add_sagemaker(parser: argparse.ArgumentParser, parser_class: type[argparse.ArgumentParser]) -> None:
    """Declare `harness sagemaker plan` and `harness sagemaker apply`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=parser_class)
    plan = commands.add_parser("plan", help="write it: requests for boto3, Terraform, IAM policies")
    plan.add_argument("--out", metavar="DIR", type=Path, default=_FOLDER, help="default: %(default)s")
    plan.set_defaults(run=_plan)
    apply = commands.add_parser("apply", help="say what it would change in your account; with --yes, change it")
    apply.add_argument("--yes", "--no-dry-run", action="store_true", help="do it (default: a dry run)")
    apply.set_defaults(run=_apply)
    for command in (plan, apply):
        command.add_argument(
            "--release", metavar="FILE.toml", type=Path, required=True, help="what goes where, and how"
        )
        command.add_argument("--sut-profile", metavar="FILE.toml", type=Path, help="what the image promises")


def _plan(chosen: argparse.Namespace) -> int:
    try:
        plan = _planned(chosen)
        _write(plan, chosen.out)
    except _Refused as error:
        return _refuse(str(error), status=_WRONG_USAGE)
    except OSError as error:
        return _refuse(str(error), status=_UNKNOWN)
    _warn(plan)
    return 0


def _planned(chosen: argparse.Namespace) -> Plan:
    from harness.contract.profile import DEFAULT_PROFILE, load_profile  # noqa: PLC0415 - a command loads what it needs
    from harness.contract.tables import ProfileInvalid  # noqa: PLC0415 - likewise
    from harness.release.guardrails import ReleaseInvalid, load_release  # noqa: PLC0415 - likewise
    from harness.release.sagemaker.plan import CannotPlan, plan_of  # noqa: PLC0415 - likewise

    try:
        from harness.release.sagemaker.service_model import validate  # noqa: PLC0415 - likewise

        plan = plan_of(load_release(chosen.release), load_profile(chosen.sut_profile or DEFAULT_PROFILE))
        validate(plan)
    except ModuleNotFoundError as error:
        msg = f"there is no {error.name}, which this command needs: pip install 'inference-harness[sagemaker]'"
        raise _Refused(msg) from error
    except (ProfileInvalid, ReleaseInvalid, CannotPlan) as error:
        raise _Refused(str(error)) from error
    return plan


def _write(plan: Plan, folder: Path) -> None:
    from harness.release.sagemaker.policy import policy_of_role, policy_to_apply  # noqa: PLC0415 - as above
    from harness.release.sagemaker.terraform import terraform_of  # noqa: PLC0415 - as above

    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "requests.json": (plan.to_json() + "\n", "every request, as boto3 takes it"),
        "main.tf": (terraform_of(plan), "the same for Terraform"),
        "policy.json": (_json(policy_to_apply(plan)), "what whoever applies it must be allowed, and no more"),
        "role-policy.json": (_json(policy_of_role(plan)), "what the endpoint's role needs for it"),
    }
    for name, (text, what) in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        _say(f"{folder / name}: {what}")


def _apply(chosen: argparse.Namespace) -> int:
    try:
        plan = _planned(chosen)
        return _applied(plan, is_wanted=chosen.yes)
    except _Refused as error:
        return _refuse(str(error), status=_WRONG_USAGE)


def _applied(plan: Plan, *, is_wanted: bool) -> int:
    from harness.release.sagemaker.account import Account, CannotApply  # noqa: PLC0415 - as above

    _warn(plan)
    try:
        account = Account.of(plan.sagemaker.region)
        changes = account.changes(plan)
        if is_wanted:
            account.apply(changes, say=_say)
    except CannotApply as error:
        return _refuse(str(error), status=_UNKNOWN)
    if not is_wanted:
        for change in changes:
            _say(str(change))
        _say("nothing to do" if all(one.kind == "nothing" for one in changes) else "a dry run: --yes does it")
    return 0


def _warn(plan: Plan) -> None:
    for image in plan.tagged_images:
        print(f"harness: {image} is named by a tag: if it moves, this plan does not see it", file=sys.stderr)  # noqa: T201 - a command speaks


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"


def _refuse(why: str, *, status: int) -> int:
    print(f"harness: {why}", file=sys.stderr)  # noqa: T201 - as above
    return status


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - as above
