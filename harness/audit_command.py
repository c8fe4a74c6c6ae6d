"""The arguments of `harness audit`: declared here, so that asking for help loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.audit_data_command import add_audit_data
from harness.audit_model_command import add_audit_model

if TYPE_CHECKING:
    import argparse


def add_audit(parser: argparse.ArgumentParser, parser_class: type[argparse.ArgumentParser]) -> None:
    """Declare `harness audit`, one command for each subject."""
    commands = parser.add_subparsers(required=True, metavar="SUBJECT", parser_class=parser_class)
    add_audit_model(commands.add_parser("model", help="is this model fit to serve? asked, or looked at as saved"))
    add_audit_data(commands.add_parser("data", help="does this data set make sense, and what can be learnt from it?"))
