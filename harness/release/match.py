"""A match as the command line asks for it: read, opened, held, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid
from harness.release.contest import Contest
from harness.release.journal import RecordBroken
from harness.release.judge import CannotTell, Judgement, judge_record
from harness.release.question import broken_questions
from harness.release.record import Header, read_record
from harness.release.stage import DockerStage
from harness.system import NotSetUp
from harness.system.container import CannotStart
from harness.system.engine import ensure_engine
from harness.system.guard import begin_run
from harness.system.history import HistoryInvalid, read_history
from harness.system.image import ensure_image

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

    Say = Callable[[str], None]

RECORD_FILE = "compare.jsonl"


class Refused(Exception):  # noqa: N818 - named by what happened
    """The command line asks for what cannot be; the message is one sentence."""


def compared(chosen: argparse.Namespace, *, say: Say) -> Judgement:
    """Compare what was asked for; raise `Refused`, or `CannotTell` where nothing can be decided."""
    try:
        if chosen.judge is not None:
            return judge_record(read_record(chosen.judge))
        profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
        history = read_history(chosen.sut_history, profile.window) if chosen.sut_history else None
    except (ProfileInvalid, HistoryInvalid, RecordBroken) as error:
        raise Refused(str(error)) from error
    if history is not None and len(history) <= profile.window.records:
        msg = f"the history covers {len(history)} periods: a window and what comes after need more"
        raise Refused(msg)
    try:
        return _held(chosen, profile, history, say=say)
    except (NotSetUp, CannotStart) as error:
        raise CannotTell(str(error)) from error


def _held(chosen: argparse.Namespace, profile: Profile, history: Sequence[Second] | None, *, say: Say) -> Judgement:
    ensure_engine(say=say)
    ids = {image: ensure_image(image) for image in (chosen.champion, chosen.challenger)}
    header = header_of(chosen, profile, ids=ids)
    run = begin_run()
    try:
        stage = DockerStage(profile=profile, run=run)
        contest = Contest(
            header=header,
            profile=profile,
            history=history,
            windows=windows_of(chosen, profile),
            stage=stage,
            tell=say,
        )
        path = chosen.report_dir / RECORD_FILE
        say(f"record   {path}")
        return contest.hold(path)
    finally:
        run.end()


def header_of(chosen: argparse.Namespace, profile: Profile, *, ids: Mapping[str, str]) -> Header:
    """Return what is compared under which promise."""
    return Header(
        champion=chosen.champion,
        challenger=chosen.challenger,
        profile=f"{profile.name} {profile.sha256}".rstrip(),
        budget_s=profile.http.budget_s,
        over_budget_share=profile.load.over_budget_share,
        skill_limit=profile.prediction.skill_limit,
        broken=len({question.way for question in broken_questions(profile, seed=chosen.seed)}),
        release=profile.release,
        ids=dict(ids),
        is_sequential=chosen.sequential,
        seed=chosen.seed,
    )


def windows_of(chosen: argparse.Namespace, profile: Profile) -> int:
    """Return how many good windows to send, at most."""
    return chosen.windows or (profile.release.windows_most if chosen.sequential else profile.release.windows)
