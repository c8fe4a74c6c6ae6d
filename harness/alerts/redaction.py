"""What must not leave the machine is taken out of every text before it is shown, sent or stored."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.alerts.alert import Checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.alerts.alert import Alert, Headline, Observation

_SECRETS = (
    (re.compile(r"(?:xoxe\.)?xox[a-z]-[\w.-]+|xapp-[\w-]+"), "[token]"),
    (re.compile(r"hooks\.slack\.com/[\w/-]+"), "hooks.slack.com/[secret]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (re.compile(r"(?<=://)[^\s/@]+:[^\s/@]*@"), "[login]@"),
)
_SECRET_LENGTH_MIN = 6  # a shorter "token" would blot out ordinary words


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Takes out tokens, webhooks, logins in URLs, and the user's home directory (shown as ~)."""

    token: str = field(default="", repr=False)
    webhook: str = field(default="", repr=False)
    home: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Redaction:
        """Make the redaction for a process with this environment."""
        return cls(
            token=environ.get("SLACK_BOT_TOKEN", "").strip(),
            webhook=environ.get("SLACK_WEBHOOK_URL", "").strip(),
            home=environ.get("HOME", "").rstrip("/"),
        )

    def text(self, text: str) -> str:
        """Return the text without its secrets."""
        stand_ins = {self.webhook: "[webhook]", _path(self.webhook): "[webhook]", self.token: "[token]"}
        for secret, stand_in in stand_ins.items():
            if len(secret) >= _SECRET_LENGTH_MIN:
                text = text.replace(secret, stand_in)
        for pattern, stand_in in _SECRETS:
            text = pattern.sub(stand_in, text)
        if self.home:
            text = re.sub(rf"(?<![\w.-]){re.escape(self.home)}(?![\w.-])", "~", text)
        return text

    def alert(self, alert: Alert) -> Alert:
        """Return the alert without its secrets."""
        return replace(
            alert,
            target=self.text(alert.target),
            variant=self.text(alert.variant),
            check=self.text(alert.check),
            must=self.text(alert.must),
            evidence=self.text(alert.evidence),
            row={name: self.text(value) for name, value in alert.row.items()},
        )

    def observation(self, observation: Observation) -> Observation:
        """Return what a run saw without its secrets."""
        covered = [
            Checked(target=self.text(one.target), variant=self.text(one.variant), check=self.text(one.check))
            for one in observation.covered
        ]
        return replace(observation, alerts=[self.alert(alert) for alert in observation.alerts], covered=covered)

    def headline(self, headline: Headline) -> Headline:
        """Return the headline without its secrets."""
        report = None if headline.report is None else self.text(headline.report)
        return replace(headline, target=self.text(headline.target), report=report)


def _path(url: str) -> str:
    """Return the secret part of a webhook's address."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
