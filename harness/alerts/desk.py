"""The desk: where alerts are told from, the ledger, the way to Slack or the terminal, and what it may cost."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.alerts.courier import Courier, Sink
from harness.alerts.delivery import Delivery
from harness.alerts.history import History
from harness.alerts.ledger import Ledger, open_ledger
from harness.alerts.redaction import Redaction
from harness.alerts.retry import Budget
from harness.alerts.slack import SlackDoor, WebhookDoor
from harness.alerts.terminal import Terminal
from harness.contract.profile import Alerts
from harness.system.waiting import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.system.waiting import Clock

Mode = Literal["auto", "off", "console", "slack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where alerts are told from: the ledger, the way to Slack, and what it may cost.

    `environ` names token or webhook, and the channel; `base_url` is that of another server than Slack's.
    """

    ledger_path: Path
    environ: Mapping[str, str] = field(repr=False)
    say: Callable[[str], None]
    mode: Mode = "auto"
    settings: Alerts = field(default_factory=Alerts)
    clock: Clock = field(default_factory=WallClock)
    budget: Budget = field(default_factory=Budget)
    base_url: str | None = None

    @property
    def window_s(self) -> float:
        """Seconds between two accepted posts of one key."""
        return self.settings.suppression_h * 3600

    @property
    def channel(self) -> str:
        """The channel's name or ID."""
        named = self.environ.get("OPS_NOTIFICATIONS_SLACK_CHANNEL", "").strip() or self.settings.channel
        return named.removeprefix("#")

    @property
    def token(self) -> str:
        """The bot token, empty where none is to be used."""
        return "" if self.mode == "console" else self.environ.get("SLACK_BOT_TOKEN", "").strip()

    @property
    def webhook(self) -> str:
        """The incoming webhook's address, empty where none is to be used; a token can do more, so it goes first."""
        is_wanted = self.mode != "console" and not self.token
        return self.environ.get("SLACK_WEBHOOK_URL", "").strip() if is_wanted else ""

    @property
    def sink_name(self) -> str:
        """Where it is told, as the ledger has it: what one sink was told, the others were not."""
        if self.token:
            return f"slack:{self.channel}"
        return f"webhook:{hashlib.sha256(self.webhook.encode()).hexdigest()[:12]}" if self.webhook else "console"

    @property
    def place(self) -> str:
        """Where it is told, for a person."""
        return "the webhook's channel" if self.webhook else f"#{self.channel}"

    @property
    def spare_path(self) -> Path:
        """The place of a ledger for as long as the proper one cannot be used."""
        folder = Path(self.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - in a folder of this user's own
        return folder / f"inference-harness-{os.getuid()}" / "ledger.sqlite3"

    @property
    def redaction(self) -> Redaction:
        """What takes the secrets of this desk out of texts."""
        return Redaction.of(self.environ)

    def discreet(self) -> Desk:
        """Return this desk, saying nothing that is secret."""
        redaction, say = self.redaction, self.say
        return replace(self, say=lambda line: say(redaction.text(line)))

    @contextmanager
    def ledger(self, path: Path | None) -> Iterator[Ledger]:
        """Open a ledger with this desk's window. Raises LedgerError."""
        with open_ledger(path, window_s=self.window_s) as opened:
            yield opened

    def courier(self, ledger: Ledger) -> Courier:
        """Return a courier whose time-box begins now."""
        return Courier(
            outbox=ledger.outbox,
            sink=self._sink(ledger),
            name=self.sink_name,
            clock=self.clock,
            budget=self.budget,
            say=self.say,
        )

    def _sink(self, ledger: Ledger) -> Sink:
        if not (self.token or self.webhook):
            why = "alerts are for the terminal" if self.mode == "console" else "SLACK_BOT_TOKEN is not set"
            return Terminal(why=why, channel=self.channel, say=self.say, clock=self.clock)
        door = SlackDoor(self.token, base_url=self.base_url) if self.token else WebhookDoor(self.webhook)
        channel_id = ledger.outbox.channel_id(self.sink_name)
        return Delivery(
            door,
            channel=self.channel if self.token else "the webhook's channel",
            history=History(door, channel=self.channel, channel_id=channel_id) if self.token else None,
            budget=self.budget,
            clock=self.clock,
            slot=lambda: self._slot(ledger),
        )

    def _slot(self, ledger: Ledger) -> float:
        try:
            return ledger.outbox.slot(self.sink_name, self.clock.now(), pace_s=self.budget.pace_s)
        except sqlite3.Error:
            return self.clock.now() + self.budget.pace_s  # slower than needed, and never faster
