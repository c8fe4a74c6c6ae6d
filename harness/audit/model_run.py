"""A run of the model audit: what was asked for is read, whom to ask is opened, and all findings are put together."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.audit.finding import Audit, Finding, Severity
from harness.audit.model.asking import Asker
from harness.audit.model.audit import Subject, audit_model
from harness.audit.model.market import Market, TooShort, market_of
from harness.audit.readiness import VerdictUnreadable, read_verdict, readiness_findings
from harness.audit.saved_model.audit import audit_saved_model
from harness.audit.saved_model.description import NoSavedModel
from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid
from harness.faults.memory import MIB, held_bytes
from harness.system import NotSetUp
from harness.system.client import Client
from harness.system.container import CannotStart, Sut, SutLost
from harness.system.guard import begin_run
from harness.system.history import HistoryInvalid, read_history
from harness.system.image import ensure_named, find_image_id
from harness.system.patience import Patience
from harness.system.waiting import WaitedInVain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.contract.profile import Profile

_VERDICT = "verdict.json"


class Refused(Exception):  # noqa: N818 - named by what happened
    """The command line asks for what cannot be; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, read before anything is started."""

    chosen: argparse.Namespace
    market: Market
    verdict: dict[str, Any] | None


def audited(chosen: argparse.Namespace) -> Audit:
    """Audit what the command line names; raise `Refused` where it makes no sense."""
    try:
        asked = _read(chosen)
        audit = _of_folder(asked) if chosen.saved_model else _of_service(asked)
    except (ProfileInvalid, HistoryInvalid, VerdictUnreadable, TooShort, NoSavedModel) as error:
        raise Refused(str(error)) from error
    if chosen.saved_model and asked.verdict is None:
        return audit
    readiness = tuple(readiness_findings(asked.verdict, url=chosen.sut_url, names=_names(chosen)))
    return replace(audit, findings=(*audit.findings, *readiness))


def _names(chosen: argparse.Namespace) -> tuple[str, ...]:
    """Return what a verdict may call what was audited: a tag moves on, an image's id stays."""
    if chosen.sut_url:
        return (chosen.sut_url, chosen.sut_url.rstrip("/"))
    if not chosen.sut_image:
        return ()
    known = find_image_id(chosen.sut_image)
    return (chosen.sut_image, known) if known else (chosen.sut_image,)


def _read(chosen: argparse.Namespace) -> Asked:
    profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
    market = market_of(read_history(chosen.history, profile.window), profile)
    beside = chosen.report_dir / _VERDICT if chosen.report_dir else None
    path = chosen.verdict or (beside if beside and beside.is_file() else None)
    return Asked(chosen=chosen, market=market, verdict=read_verdict(path) if path else None)


def _of_folder(asked: Asked) -> Audit:
    chosen = asked.chosen
    return audit_saved_model(chosen.saved_model, asked.market, python=chosen.python, say=_say)


def _of_service(asked: Asked) -> Audit:
    name = asked.chosen.sut_url or asked.chosen.sut_image
    try:
        with _opened(asked) as subject:
            return audit_model(
                subject, asked.market, windows=asked.chosen.windows, tell=lambda what: _say(f"asking   {what}")
            )
    except (NotSetUp, CannotStart) as error:
        return Audit(subject="model", name=name, findings=(), untold=(str(error),))
    except (SutLost, WaitedInVain) as error:
        return Audit(subject="model", name=name, findings=(_never_served(error),))


@contextmanager
def _opened(asked: Asked) -> Iterator[Subject]:
    """Give whom to ask: the endpoint that was named, or a container which lives as long as this."""
    chosen, profile = asked.chosen, asked.market.profile
    if chosen.sut_url:
        yield Subject(name=chosen.sut_url, asker=_asker(chosen.sut_url, profile))
        return
    ensure_named(chosen.sut_image, say=_say)
    run = begin_run()
    try:
        sut = Sut(chosen.sut_image, profile, run).start()
        _say(f"{chosen.sut_image}: ready after {sut.wait_ready():.1f} s")
        yield Subject(name=chosen.sut_image, asker=_asker(sut.url, profile), memory_mib=lambda: held_bytes(sut) / MIB)
    finally:
        run.end()


def _asker(url: str, profile: Profile) -> Asker:
    patience = Patience()
    return Asker(open_door=lambda: Client(url, profile, patience=patience), profile=profile)


def _never_served(error: Exception) -> Finding:
    return Finding(
        id="service.never_served",
        severity=Severity.BLOCKS,
        says=f"The container did not get ready, or died: {error}",
        advice="Let it start first: `harness gate` says which promise it breaks.",
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what goes on; the standard output is for what was found
