"""A release as the command line asks for it: read, opened, run, or judged again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.profile import load_profile
from harness.contract.tables import ProfileInvalid
from harness.release.endpoint import ConfigInvalid, Endpoint, EndpointConfig, VariantConfig, load_config
from harness.release.endpoint.config import profile_path
from harness.release.guardrails import ReleaseInvalid, load_release
from harness.release.journal import RecordBroken
from harness.release.rollout.asks import asks_of
from harness.release.rollout.judge import judge
from harness.release.rollout.printout import plan_line
from harness.release.rollout.record import header_of, read_record
from harness.release.rollout.rollout import CHALLENGER, Rollout
from harness.system.history import HistoryInvalid, read_history
from harness.system.image import ensure_named

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.release.guardrails import Release
    from harness.release.rollout.asks import Ask
    from harness.release.rollout.judge import Judge, Judgement

RECORD_FILE = "release.jsonl"
# The invocations of so many seconds are remembered, so that a look that comes late misses none.
_REMEMBERED_S = 30
_LEAST_KEPT = 1_000


class Refused(Exception):  # noqa: N818 - named by what happened
    """The command line asks for what cannot be; the message is one sentence."""


def released(chosen: argparse.Namespace, *, say: Callable[[str], None], tell: Callable[[Judge], None]) -> Judgement:
    """Release what was asked for, or judge a record again; raise `Refused`, or what keeps the champion from serving."""
    try:
        if chosen.judge is not None:
            return judge(*read_record(chosen.judge))
        release, config = load_release(chosen.release), load_config(chosen.config)
        profile = load_profile(profile_path(config))
        asks = _asks(chosen, profile)
    except (ProfileInvalid, ConfigInvalid, ReleaseInvalid, HistoryInvalid, RecordBroken) as error:
        raise Refused(str(error)) from error
    if len(config.variants) != 1 or config.shadow is not None:
        msg = f"endpoint {chosen.config}: a release begins with one production variant alone, the champion"
        raise Refused(msg)
    return _released(chosen, release, config, profile, asks, say=say, tell=tell)


def _released(
    chosen: argparse.Namespace,
    release: Release,
    config: EndpointConfig,
    profile: Profile,
    asks: list[Ask],
    *,
    say: Callable[[str], None],
    tell: Callable[[Judge], None],
) -> Judgement:
    champion, joining = config.variants[0], _joining(chosen.challenger, config)
    rate_per_s = chosen.rate or profile.load.rate_per_s
    for image in filter(None, (champion.image, joining.image)):
        ensure_named(image, say=say)
    header = header_of(
        release,
        profile,
        champion=champion.image or champion.url,
        challenger=chosen.challenger,
        fleet=joining.instances,
        rate_per_s=rate_per_s,
        has_truths=bool(asks),
    )
    path = chosen.report_dir / RECORD_FILE
    say(f"record   {path}")
    say(plan_line(header))
    kept = max(config.kept, _LEAST_KEPT, round(_REMEMBERED_S * rate_per_s))
    with Endpoint.up(replace(config, kept=kept), say=say) as endpoint:
        say(f"endpoint {endpoint.name} at {endpoint.url}")
        rollout = Rollout(endpoint=endpoint, header=header, profile=profile, asks=asks, joining=joining, tell=tell)
        return rollout.run(path)


def _joining(challenger: str, config: EndpointConfig) -> VariantConfig:
    """Return the challenger's variant: as many instances as the champion has, and no call before the first step."""
    (champion,) = config.variants
    where = {"url": challenger} if challenger.startswith(("http://", "https://")) else {"image": challenger}
    return VariantConfig(name=CHALLENGER, weight=0.0, instances=champion.instances, **where)


def _asks(chosen: argparse.Namespace, profile: Profile) -> list[Ask]:
    """Return what our own callers ask; nothing where the callers are somebody else."""
    if chosen.callers == "theirs":
        return []
    history = read_history(Path(chosen.sut_history), profile.window) if chosen.sut_history else None
    if history is not None and len(history) <= profile.window.records:
        msg = f"the history covers {len(history)} periods: a window and what comes after need more"
        raise Refused(msg)
    return asks_of(profile, history, seed=chosen.seed)
