"""Tells what a run saw once: what is new in one message, to Slack or the terminal, whatever state both are in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from harness.alerts.ledger import LedgerError, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.alerts.alert import Alert, Headline, Observation
    from harness.alerts.courier import Round
    from harness.alerts.desk import Desk
    from harness.alerts.ledger import Ledger, Sighting

_SHOWN_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What became of a run's alerts: `told` were told now, `suppressed` are known already; `detail` is one line."""

    outcome: Literal["sent", "printed", "nothing new", "failed", "off"]
    detail: str
    told: int = 0
    suppressed: int = 0
    recovered: int = 0


def announce(observation: Observation, headline: Headline, desk: Desk) -> Announcement:
    """Tell what a run saw: what was not told within the window, and what is well again; known messages are amended.

    It never raises, and takes as long as the desk's budget at most.
    """
    if desk.mode == "off":
        return Announcement(outcome="off", detail="alerts are off")
    redaction, quiet = desk.redaction, desk.discreet()
    try:
        if not observation.alerts and not desk.ledger_path.exists():
            return Announcement(outcome="nothing new", detail="no failures")
        told = _with_ledger(redaction.observation(observation), redaction.headline(headline), quiet)
        return replace(told, detail=redaction.text(told.detail))
    except Exception as error:  # noqa: BLE001 - no trouble with alerts may change a verdict
        detail = redaction.text(f"alerts failed: {type(error).__name__}: {error}")
        with suppress(Exception):
            desk.say(detail)
        return Announcement(outcome="failed", detail=detail)


def _with_ledger(observation: Observation, headline: Headline, desk: Desk) -> Announcement:
    """Tell with the ledger; where it cannot be used, begin anew, or go on with a spare one, or with none."""
    places: list[Path | None] = [desk.ledger_path, desk.spare_path, None]
    while True:
        place = places.pop(0)
        try:
            with desk.ledger(place) as ledger:
                return _told(observation, headline, desk, ledger)
        except LedgerError as error:  # raised before anything was sent: see the courier
            if place is None:
                raise
            desk.say(f"alerts: {error}")
            if error.corrupt and _set_aside(place, desk):
                places.insert(0, place)
            elif place == desk.ledger_path:
                desk.say("alerts: told without the ledger, so they may repeat what was told before")


def _set_aside(path: Path, desk: Desk) -> bool:
    try:
        desk.say(f"alerts: the corrupt ledger is moved to {set_aside(path)}, and a new one begun")
    except OSError:
        return False
    return True


def _told(observation: Observation, headline: Headline, desk: Desk, ledger: Ledger) -> Announcement:
    sighting = ledger.observe(observation, headline, desk.sink_name, desk.clock.now())
    notes = tuple(_notes(sighting))
    is_run = headline.duration_s is not None  # the monitor's messages speak of one alert each
    done = desk.courier(ledger).deliver(
        storm_keys=desk.settings.storm_keys, notes=lambda found: notes if is_run and found == headline else ()
    )
    return _reported(sighting, done, desk, notes)


def _reported(sighting: Sighting, done: Round, desk: Desk, notes: Sequence[str]) -> Announcement:
    failed = [receipt for _, receipt in done.posts if receipt.state != "told"]
    told = sum(len(parcel.conditions) for parcel, receipt in done.posts if receipt.state == "told")
    claimed = {condition.key for parcel, _ in done.posts for condition in parcel.conditions}
    elsewhere = len(sighting.due - claimed)
    said = [*notes, *([f"{_failures(elsewhere)} that another run is telling, or may have told"] if elsewhere else [])]
    found = Announcement(
        outcome="nothing new",
        detail="; ".join(said) or "no failures",
        told=told,
        suppressed=len(sighting.known) + elsewhere,
        recovered=len(sighting.recovered),
    )
    _say_of_recoveries(done, desk)
    if failed:
        desk.say(f"alerts: not told: {failed[0].detail}")
        return replace(found, outcome="failed", detail=failed[0].detail)
    if not done.posts:
        if said:
            desk.say(f"alerts: nothing new to tell; {found.detail}")
        return found
    detail = "; ".join(dict.fromkeys(receipt.detail for _, receipt in done.posts))
    if desk.sink_name == "console":
        return replace(found, outcome="printed", detail=detail)
    desk.say(f"alerts: {_failures(told)} told to {desk.place} ({detail})")
    return replace(found, outcome="sent", detail=detail)


def _say_of_recoveries(done: Round, desk: Desk) -> None:
    untold = [receipt.detail for receipt in (*done.updates, *done.recoveries) if receipt.state in ("failed", "unclear")]
    if untold:
        desk.say(f"alerts: an earlier message could not be brought up to date: {untold[0]}")


def _notes(sighting: Sighting) -> Iterable[str]:
    if sighting.known:
        yield f"{_failures(len(sighting.known), 'known ')}, told before, not repeated"
    if sighting.silenced:
        yield f"{_failures(len(sighting.silenced), 'silenced ')}"
    if sighting.recovered:
        yield f"recovered since the last run: {_named(sighting.recovered)}"


def _named(recovered: Sequence[Alert]) -> str:
    names = [f"{alert.rule} {alert.check}" for alert in recovered]
    more = len(names) - _SHOWN_MAX
    return ", ".join(names[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _failures(count: int, kind: str = "") -> str:
    return f"{count} {kind}failure{'' if count == 1 else 's'}"
