"""Alerts: what failed in a run is told once, in one message, to Slack or to the terminal."""

from harness.alerts.alert import Alert, Headline
from harness.alerts.announce import Announcement, Mode, announce
from harness.alerts.ledger import default_ledger_path

__all__ = ["Alert", "Announcement", "Headline", "Mode", "announce", "default_ledger_path"]
