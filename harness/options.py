"""What a run was asked to test, and how: options, their environment variables and their ini twins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EXAMPLES = {"quick": 8, "normal": 25, "thorough": 250}
ALERT_MODES = ("auto", "off", "console", "slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: `--sut-<name>`, the environment variable SUT_<NAME> and the ini key sut_<name>."""

    name: str
    help: str
    metavar: str
    default: str = ""
    choices: Sequence[str] = ()

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--sut-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"SUT_{self.name.upper().replace('-', '_')}"

    @property
    def ini(self) -> str:
        """The key in the ini file."""
        return self.variable.lower()


OPTIONS = (
    Option(name="image", metavar="IMAGE", help="the image to test (default: the reference container)"),
    Option(name="url", metavar="URL", help="a running endpoint to test instead; it is never harmed"),
    Option(name="profile", metavar="FILE.toml", help="what the container promises (default: the shipped profile)"),
    Option(name="history", metavar="FILE.csv", help="recorded series to take windows from (default: generated ones)"),
    Option(name="seed", metavar="N", help="seed of generated series and of choices", default="1"),
    Option(
        name="effort", metavar="EFFORT", help="quick, normal or thorough", default="normal", choices=tuple(EXAMPLES)
    ),
    Option(name="rules", metavar="RULE,...", help="run only the checks that speak for these rules, such as C9,D6"),
    Option(name="report-dir", metavar="DIR", help="where verdict.json and the records go"),
    Option(
        name="alerts",
        metavar="MODE",
        help="auto (Slack where SLACK_BOT_TOKEN is set, else the terminal), off, console or slack",
        default="auto",
        choices=ALERT_MODES,
    ),
    Option(name="ledger", metavar="FILE", help="what was told already; machines may share it (default: this user's)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen; at most one of `image` and `url` is set, neither means the reference container."""

    image: str | None
    url: str | None
    profile: Path | None
    history: Path | None
    seed: int
    effort: str
    rules: frozenset[str]
    report_dir: Path | None
    alerts: str
    ledger: Path | None


CHOICE: pytest.StashKey[Choice] = pytest.StashKey()


def add_options(parser: pytest.Parser) -> None:
    """Declare each option with its ini twin."""
    group = parser.getgroup("sut", "the system under test")
    for option in OPTIONS:
        text = f"{option.help} [{option.variable}, ini: {option.ini}]"
        group.addoption(option.flag, metavar=option.metavar, help=text, default=None)
        parser.addini(option.ini, text, default="")


def read_choice(config: pytest.Config) -> Choice:
    """Read the choice: command line before environment before ini; raise `pytest.UsageError` for what cannot be."""
    said = {option.name: _said(config, option) for option in OPTIONS}
    if said["image"] and said["url"]:
        msg = "--sut-image and --sut-url exclude each other: name the one to test"
        raise pytest.UsageError(msg)
    if not said["seed"].isdigit():
        msg = f"--sut-seed must be a whole number, got {said['seed']!r}"
        raise pytest.UsageError(msg)
    if said["url"] and not said["url"].startswith(("http://", "https://")):
        msg = f"--sut-url must begin with http:// or https://, got {said['url']!r}"
        raise pytest.UsageError(msg)
    return Choice(
        image=said["image"] or None,
        url=said["url"] or None,
        profile=_file(config, "profile", said["profile"]),
        history=_file(config, "history", said["history"]),
        seed=int(said["seed"]),
        effort=said["effort"],
        rules=_rules(said["rules"]),
        report_dir=_path(config, said["report-dir"]),
        alerts=said["alerts"],
        ledger=_path(config, said["ledger"]),
    )


def _rules(text: str) -> frozenset[str]:
    rules = frozenset(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(rules - RULES.keys())
    if unknown:
        msg = f"--sut-rules: the contract has no rule {', '.join(unknown)}; it has {', '.join(RULES)}"
        raise pytest.UsageError(msg)
    return rules


def _said(config: pytest.Config, option: Option) -> str:
    given = config.getoption(option.flag)
    sources = (
        (option.flag, given),
        (option.variable, os.environ.get(option.variable)),
        (option.ini, config.getini(option.ini)),
    )
    source, value = next(((name, text) for name, text in sources if text), ("default", option.default))
    if option.choices and value not in option.choices:
        msg = f"{source} must be one of {', '.join(option.choices)}, got {value!r}"
        raise pytest.UsageError(msg)
    return str(value)


def _path(config: pytest.Config, text: str) -> Path | None:
    return config.invocation_params.dir / text if text else None


def _file(config: pytest.Config, name: str, text: str) -> Path | None:
    path = _path(config, text)
    if path is not None and not path.is_file():
        msg = f"--sut-{name}: there is no file {text}"
        raise pytest.UsageError(msg)
    return path
