"""`harness profile init`: a first profile of a container that nobody has described."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid
from harness.survey.asker import Asker
from harness.survey.findings import Findings, NothingFound
from harness.survey.starting import note_start, started, try_ways
from harness.survey.survey import find_spot, survey
from harness.survey.written import written
from harness.system import NotSetUp
from harness.system.container import CannotStart, SutLost
from harness.system.guard import begin_run
from harness.system.image import ensure_named

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from harness.contract.profile import Profile

_UNKNOWN, _WRONG_USAGE = 2, 4


def run_init(chosen: argparse.Namespace) -> int:
    """Look at an image or an endpoint and write its first profile; 2 where it cannot be told how to ask it."""
    why_not = _wrong_usage(chosen)
    if why_not:
        return _refuse(why_not, _WRONG_USAGE)
    try:
        base = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
        findings, subject = _of_url(chosen.sut_url, base) if chosen.sut_url else _of_image(chosen, base)
    except ProfileInvalid as error:
        return _refuse(str(error), _WRONG_USAGE)
    except (NotSetUp, NothingFound, CannotStart, SutLost) as error:
        return _refuse(str(error), _UNKNOWN)
    _write(written(findings, subject=subject), chosen.output)
    for sentence in findings.unknown if not findings.is_understood else ():
        _aside(f"harness: {sentence}")
    return 0 if findings.is_understood else _UNKNOWN


def _wrong_usage(chosen: argparse.Namespace) -> str:
    if chosen.sut_image and chosen.sut_url:
        return "--sut-image and --sut-url exclude each other: name the one to look at"
    if chosen.sut_url and not chosen.sut_url.startswith(("http://", "https://")):
        return f"--sut-url must begin with http:// or https://, got {chosen.sut_url!r}"
    output: Path | None = chosen.output
    if output is not None and output.exists():
        return f"--output: {output} is there already: name another file, or take it away"
    if output is not None and not output.parent.is_dir():
        return f"--output: there is no folder {output.parent}"
    return ""


def _of_url(url: str, base: Profile) -> tuple[Findings, str]:
    """Look at an endpoint that somebody else runs: how it starts cannot be seen."""
    findings = Findings(profile=base if base.name != _default_name() else replace(base, name="endpoint"))
    with closing(Asker(url, base)) as asker:
        spot = find_spot({url: asker}, base, budget_s=base.http.hang_s)
        if spot is None:
            msg = f"nothing answers at {url}: see that it runs and that this machine reaches it, then ask again"
            raise NothingFound(msg)
        survey(asker, spot, findings, _aside, is_somebody_elses=True)
    findings.leave_open("`[container]`, C1, C2, C4: somebody else runs it, and how it starts cannot be seen")
    return findings, url


def _of_image(chosen: argparse.Namespace, base: Profile) -> tuple[Findings, str]:
    image = ensure_named(chosen.sut_image, say=_aside)
    name = base.name if base.name != _default_name() else _plain_name(image)
    findings, run = Findings(profile=replace(base, name=name)), begin_run()
    try:
        with started(image, base, run, ports=chosen.port or (), say=_aside) as found:
            note_start(found, base, findings)
            with closing(Asker(found.url, base)) as asker:
                survey(asker, found.spot, findings, _aside)
            if not found.sut.is_there():
                findings.blame("C18", f"it ended while it was asked: {found.sut.story()}")
                findings.leave_open("what was asked after it ended: see C18, mend that, and begin anew")
        if findings.is_understood:
            _aside("starting it in each way that the contract names")
            try_ways(image, run, findings)
    finally:
        run.end()
    return findings, image


def _default_name() -> str:
    return load_profile(DEFAULT_PROFILE).name


def _plain_name(image: str) -> str:
    """Return an image's name without its registry and tag."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="", flush=True)  # noqa: T201 - printing is what a command does
    else:
        output.write_text(text, encoding="utf-8")
        _aside(f"written: {output}; next: harness profile check {output}")


def _aside(line: str) -> None:
    """Speak beside the profile, which alone goes to the standard output."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - likewise


def _refuse(why: str, status: int) -> int:
    _aside(f"harness: {why}")
    return status
