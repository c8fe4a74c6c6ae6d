"""Alerts: what is wrong is told once, in one message, to Slack or to the terminal; so is that it is well again."""

from harness.alerts.alert import Alert, Checked, Headline, Observation
from harness.alerts.announce import Announcement, announce
from harness.alerts.desk import Desk, Mode
from harness.alerts.ledger import default_ledger_path

__all__ = [
    "Alert",
    "Announcement",
    "Checked",
    "Desk",
    "Headline",
    "Mode",
    "Observation",
    "announce",
    "default_ledger_path",
]
