"""`harness alerts`: what is wrong and what was told, telling what was not, silence, and a test of the way to Slack."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from harness.alerts import Alert, Checked, Desk, Headline, Observation, default_ledger_path
from harness.alerts.entry import moment
from harness.alerts.history import Unreadable
from harness.alerts.ledger import LedgerError, NoSuchKey
from harness.alerts.outbox import Unsettled
from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.alerts.condition import Condition
    from harness.alerts.courier import Round
    from harness.alerts.ledger import Ledger

    Say = Callable[[str], None]

_FAILED, _UNKNOWN, _WRONG_USAGE = 1, 2, 4
_KEY_SHOWN = 12


def run_alerts(chosen: argparse.Namespace, say: Say = print, *, base_url: str | None = None) -> int:
    """Do what was asked, with the ledger and the way to Slack that profile and environment name."""
    try:
        desk = replace(_desk(chosen, say), base_url=base_url)
        return _ACTIONS[chosen.action](chosen, desk)
    except (ProfileInvalid, NoSuchKey) as error:
        say(f"harness: {error}")
        return _WRONG_USAGE
    except LedgerError as error:
        say(f"harness: {error}")
        return _UNKNOWN


def _desk(chosen: argparse.Namespace, say: Say) -> Desk:
    profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
    ledger_path = chosen.sut_ledger or default_ledger_path(os.environ)
    return Desk(ledger_path=ledger_path, environ=os.environ, say=say, settings=profile.alerts).discreet()


def _list(chosen: argparse.Namespace, desk: Desk) -> int:
    with desk.ledger(desk.ledger_path) as ledger:
        found = ledger.conditions(desk.clock.now())
    if chosen.format == "json":
        rows = [{"sink": sink, "silenced_until": until, **asdict(condition)} for sink, condition, until in found]
        desk.say(json.dumps({"schema": 1, "conditions": rows}, indent=2))
        return 0
    for sink, condition, until in found:
        desk.say(_line(sink, condition, until, desk.window_s))
    if not found:
        desk.say("nothing was ever wrong, as far as the ledger knows")
    return 0


def _line(sink: str, condition: Condition, until: float | None, window_s: float) -> str:
    alert = condition.alert
    times = f"{condition.times} {'time' if condition.times == 1 else 'times'} since {moment(condition.first_at)}"
    well = f", well since {moment(condition.well_at)}" if condition.well_at is not None else ""
    told = "not told yet" if condition.due else ""
    if not condition.due and condition.told_at is not None:
        told = f"told {moment(condition.told_at)}, again from {moment(condition.told_at + window_s)} on"
    silent = f", silenced until {moment(until)}" if until is not None else ""
    head = f"{condition.key[:_KEY_SHOWN]}  {condition.state:<8} {alert.rule} {alert.check} @ {alert.target} ({sink})"
    return f"{head}\n{'':14}{times}{well}; {told}{silent}"


def _resend(_: argparse.Namespace, desk: Desk) -> int:
    with desk.ledger(desk.ledger_path) as ledger:
        done = _deliver(desk, ledger)
    receipts = [receipt for _, receipt in done.posts] + [*done.updates, *done.recoveries]
    told = sum(receipt.state == "told" for receipt in receipts)
    desk.say(f"alerts: {told} told or brought up to date, {len(receipts) - told} not")
    for detail in dict.fromkeys(receipt.detail for receipt in receipts if receipt.state != "told"):
        desk.say(f"alerts: not told: {detail}")
    return _FAILED if told < len(receipts) else 0


def _silence(chosen: argparse.Namespace, desk: Desk) -> int:
    now = desk.clock.now()
    until = now + chosen.duration
    with desk.ledger(desk.ledger_path) as ledger:
        key = ledger.silence(chosen.key, until, now)
    desk.say(f"{key[:_KEY_SHOWN]} is silenced until {moment(until)}: what still fails then is told")
    return 0


def _test(_: argparse.Namespace, desk: Desk) -> int:
    """Go the whole way with an alert that is none, in a ledger that forgets it."""
    alert = Alert(
        target="harness alerts test",
        rule="TEST",
        check="the way to this channel",
        must="This message MUST be brought up to date in place, and get one line in its thread.",
        evidence="nothing is wrong: somebody ran `harness alerts test`",
    )
    headline = Headline(verdict="TEST", target=alert.target, profile="none", at=desk.clock.now())
    with desk.ledger(None) as ledger:
        ledger.observe(Observation(alerts=[alert]), headline, desk.sink_name, desk.clock.now())
        posted = _deliver(desk, ledger)
        if any(receipt.state != "told" for _, receipt in posted.posts):
            desk.say(f"alerts: not told: {posted.posts[0][1].detail}")
            return _FAILED
        desk.say(f"ok: a message was told to {desk.place if desk.sink_name != 'console' else 'the terminal'}")
        well = Observation(covered=[Checked(target=alert.target, check=alert.check)])
        ledger.observe(well, headline, desk.sink_name, desk.clock.now())
        rest = _deliver(desk, ledger)
        is_readable = _says_whether_readable(desk, ledger, posted)
    return _said(rest, desk, is_readable=is_readable)


def _said(rest: Round, desk: Desk, *, is_readable: bool) -> int:
    if desk.sink_name == "console":
        return 0
    if desk.webhook:
        desk.say("a webhook can do no more: no updates, no recoveries; set SLACK_BOT_TOKEN for these")
        return 0
    for receipts, what in ((rest.updates, "brought up to date in place"), (rest.recoveries, "told in the thread")):
        is_well = bool(receipts) and all(receipt.state == "told" for receipt in receipts)
        why = "; ".join(receipt.detail for receipt in receipts)
        desk.say(f"ok: the recovery was {what}" if is_well else f"not {what}: {why}")
    told = [receipt.state == "told" for receipt in (*rest.updates, *rest.recoveries)]
    return 0 if told and all(told) and is_readable else _FAILED


def _says_whether_readable(desk: Desk, ledger: Ledger, posted: Round) -> bool:
    """Look the message up, as is done after a crash or a broken connection."""
    if not desk.token:
        return True
    parcel, _ = posted.posts[0]
    now = desk.clock.now()
    try:
        ts = desk.courier(ledger).sink.look_up(Unsettled(id=parcel.id, created_at=now, at=now))
    except Unreadable as error:
        desk.say(f"the history cannot be read ({error}): what may have been sent counts as sent")
        return False
    desk.say("ok: the message was found in the history" if ts else "the message is not in the history")
    return ts is not None


def _deliver(desk: Desk, ledger: Ledger) -> Round:
    return desk.courier(ledger).deliver(storm_keys=desk.settings.storm_keys, notes=lambda _: ())


_ACTIONS: dict[str, Callable[[argparse.Namespace, Desk], int]] = {
    "list": _list,
    "resend": _resend,
    "silence": _silence,
    "test": _test,
}
