"""Tells the failures of a run once: new ones in one message, to Slack or the terminal, whatever state both are in."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.alerts.delivery import Budget, Delivery, Receipt
from harness.alerts.history import History, Unreadable
from harness.alerts.ledger import Claim, Ending, Ledger, LedgerError, open_ledger, set_aside
from harness.alerts.message import compose, plain
from harness.alerts.redaction import Redaction
from harness.alerts.slack import SlackDoor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.alerts.alert import Alert, Headline
    from harness.alerts.message import Message

Mode = Literal["auto", "off", "console", "slack"]
_CHANNEL = "debug-slackbot"
_LOOK_UPS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What became of a run's alerts: `told` were told now, `suppressed` are known already; `detail` is one line."""

    outcome: Literal["sent", "printed", "nothing new", "failed", "off"]
    detail: str
    told: int = 0
    suppressed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What one call has to tell, and the way to tell it; without a token that is the terminal."""

    alerts: Sequence[Alert]
    headline: Headline
    channel: str
    token: str
    why_console: str
    base_url: str | None
    budget: Budget
    say: Callable[[str], None]
    now: Callable[[], float]

    @property
    def sink(self) -> str:
        """Where it is told: what one sink was told, the others were not."""
        return f"slack:{self.channel}" if self.token else "console"


def announce(
    alerts: Sequence[Alert],
    *,
    headline: Headline,
    mode: Mode,
    environ: Mapping[str, str],
    ledger_path: Path,
    say: Callable[[str], None],
    now: Callable[[], float] = time.time,
    base_url: str | None = None,
    budget: Budget | None = None,
) -> Announcement:
    """Tell the alerts that were not told within 24 h, in one message; never raises, and takes 20 s at most.

    `say` prints a line on the terminal, `now` is UTC epoch seconds; `base_url` and `budget` suit another server.
    """
    redaction = Redaction.of(environ)
    if mode == "off":
        return Announcement(outcome="off", detail="alerts are off")
    try:
        if not alerts:
            return Announcement(outcome="nothing new", detail="no failures")
        token, why_console = _token(mode, environ)
        run = _Run(
            alerts=[redaction.alert(alert) for alert in alerts],
            headline=redaction.headline(headline),
            channel=environ.get("OPS_NOTIFICATIONS_SLACK_CHANNEL", "").strip().removeprefix("#") or _CHANNEL,
            token=token,
            why_console=why_console,
            base_url=base_url,
            budget=budget or Budget(),
            say=lambda line: say(redaction.text(line)),
            now=now,
        )
        told = _with_ledger(run, ledger_path)
    except Exception as error:  # noqa: BLE001 - no trouble with alerts may change a verdict
        told = Announcement(outcome="failed", detail=redaction.text(f"alerts failed: {type(error).__name__}: {error}"))
        with suppress(Exception):
            say(told.detail)
    return Announcement(
        outcome=told.outcome, detail=redaction.text(told.detail), told=told.told, suppressed=told.suppressed
    )


def _token(mode: Mode, environ: Mapping[str, str]) -> tuple[str, str]:
    token = environ.get("SLACK_BOT_TOKEN", "").strip()
    if mode == "console":
        return "", "alerts are for the terminal"
    return token, "" if token else "SLACK_BOT_TOKEN is not set"


def _with_ledger(run: _Run, path: Path) -> Announcement:
    try:
        with open_ledger(path) as ledger:
            return _told(run, ledger)
    except LedgerError as error:  # raised before anything was sent: see _settle
        run.say(f"alerts: {error}")
        place = _begun_anew(run, path) if error.corrupt else None
    if place is None:
        run.say("alerts: told without the ledger, so they may repeat what was told before")
    with open_ledger(place) as ledger:
        return _told(run, ledger)


def _begun_anew(run: _Run, path: Path) -> Path | None:
    try:
        run.say(f"alerts: the corrupt ledger is moved to {set_aside(path)}, and a new one begun")
    except OSError:
        return None
    return path


def _told(run: _Run, ledger: Ledger) -> Announcement:
    courier = _courier(run, ledger) if run.token else None
    if courier:
        _settle_earlier(run, ledger, courier)
    claim = ledger.claim(run.alerts, run.sink, run.now())
    notes = tuple(_notes(claim))
    known = claim.suppressed + claim.elsewhere
    if not claim.fresh:
        run.say(f"alerts: nothing new to tell; {'; '.join(notes)}")
        return Announcement(outcome="nothing new", detail="; ".join(notes), suppressed=known)
    message = compose(run.headline, claim.fresh, notes)
    if courier is None:
        return _printed(run, ledger, claim, message)
    since = run.now()
    receipt = courier.post(message, claim.delivery_id, lambda: _may_send(run, ledger, claim), since)
    ending = Ending(state=receipt.state, channel_id=receipt.channel_id, ts=receipt.ts)
    _settle(run, ledger, claim, ending)
    return _reported(run, claim, receipt)


def _courier(run: _Run, ledger: Ledger) -> Delivery:
    door = SlackDoor(run.token, base_url=run.base_url)
    history = History(door, channel=run.channel, channel_id=ledger.channel_id(run.sink))
    return Delivery(door, channel=run.channel, history=history, budget=run.budget)


def _settle_earlier(run: _Run, ledger: Ledger, courier: Delivery) -> None:
    """Find out about deliveries that were cut short: a crash, or a connection that broke after the request was read."""
    now = run.now()
    for earlier in ledger.unsettled(run.sink, now)[:_LOOK_UPS_MAX]:
        try:
            ts = courier.look_up(earlier.id, earlier.created_at if earlier.created_at <= now else 0.0)
        except Unreadable as error:
            if not error.for_good:
                run.say(
                    f"alerts: an earlier message may have been sent, {error}: its failures wait until it can be seen"
                )
                return
            run.say(f"alerts: an earlier message may have been sent, {error}: counted as sent")
            ts = ""
        accepted_at = earlier.at + run.budget.total_s
        ending = Ending(state="failed") if ts is None else Ending(state="told", at=accepted_at, ts=ts or None)
        ledger.settle(earlier.id, ending, now)


def _may_send(run: _Run, ledger: Ledger, claim: Claim) -> bool:
    try:
        return ledger.attempt(claim.delivery_id, run.now())
    except sqlite3.Error:
        return True  # the ledger broke after the claim: better told than lost


def _settle(run: _Run, ledger: Ledger, claim: Claim, ending: Ending) -> None:
    # An error of the ledger must not get out from here: the message is out, and would be sent again.
    try:
        ledger.settle(claim.delivery_id, ending, run.now())
    except sqlite3.Error as error:
        run.say(f"alerts: the ledger could not record the delivery ({error}): the next run finds out")


def _printed(run: _Run, ledger: Ledger, claim: Claim, message: Message) -> Announcement:
    run.say(f"alerts: {run.why_console}; this would have been sent to #{run.channel}:")
    for line in plain(message).splitlines():
        run.say(f"  {line}".rstrip())
    _settle(run, ledger, claim, Ending(state="told"))
    known = claim.suppressed + claim.elsewhere
    return Announcement(outcome="printed", detail=run.why_console, told=len(claim.fresh), suppressed=known)


def _reported(run: _Run, claim: Claim, receipt: Receipt) -> Announcement:
    known = claim.suppressed + claim.elsewhere
    if receipt.state != "told":
        run.say(f"alerts: not told: {receipt.detail}")
        return Announcement(outcome="failed", detail=receipt.detail, suppressed=known)
    run.say(f"alerts: {_failures(len(claim.fresh))} told to #{run.channel} ({receipt.detail})")
    return Announcement(outcome="sent", detail=receipt.detail, told=len(claim.fresh), suppressed=known)


def _notes(claim: Claim) -> Iterator[str]:
    if claim.suppressed:
        yield f"{_failures(claim.suppressed, 'known ')}, told within 24 h, not repeated"
    if claim.elsewhere:
        yield f"{_failures(claim.elsewhere)} that another run is telling, or may have told, not repeated"


def _failures(count: int, kind: str = "") -> str:
    return f"{count} {kind}failure{'' if count == 1 else 's'}"
