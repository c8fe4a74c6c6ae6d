"""A profile: what one container promises, read from TOML into frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.contract.contradictions import ALERT_COLUMNS, SCHEMA, contradictions
from harness.contract.keys import (
    Alerts,
    AnswerRule,
    Chaos,
    Http,
    Load,
    Monitor,
    Prediction,
    Process,
    Refusals,
    Release,
    SeriesRule,
)
from harness.contract.tables import Key, ProfileInvalid, entry, of_version, problems_of, read_table, read_toml
from harness.contract.window_rule import FieldRule, Kind, Role, WindowRule

__all__ = [
    "ALERT_COLUMNS",
    "DEFAULT_PROFILE",
    "SCHEMA",
    "Alerts",
    "AnswerRule",
    "Chaos",
    "FieldRule",
    "Http",
    "Kind",
    "Load",
    "Monitor",
    "Prediction",
    "Process",
    "Profile",
    "Refusals",
    "Release",
    "Role",
    "SeriesRule",
    "WindowRule",
    "load_profile",
    "problems",
]

DEFAULT_PROFILE = Path(__file__).parent.parent / "profiles" / "default.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that one container promises; `sha256` is that of the file it was read from."""

    name: str = field(metadata={"key": Key("what reports call it", "every report")})
    window: WindowRule = field(metadata={"key": Key("the window", "dq")})
    schema: int = entry(SCHEMA, "the version of this format", "every command")
    container: Process = field(default_factory=Process)
    http: Http = field(default_factory=Http)
    answer: AnswerRule = field(default_factory=AnswerRule)
    refusals: Refusals = field(default_factory=Refusals)
    prediction: Prediction = field(default_factory=Prediction)
    series: SeriesRule = field(default_factory=SeriesRule)
    load: Load = field(default_factory=Load)
    chaos: Chaos = field(default_factory=Chaos)
    alerts: Alerts = field(default_factory=Alerts)
    monitor: Monitor = field(default_factory=Monitor)
    release: Release = field(default_factory=Release)
    waived: dict[str, str] = entry(
        {}, "rules that it does not keep, each with the reason that the report shows", "gate"
    )
    sha256: str = ""


def load_profile(path: Path = DEFAULT_PROFILE) -> Profile:
    """Read a profile; raise `ProfileInvalid` with one sentence that names file, place and way out."""
    table, sha256 = read_toml(path, "profile")
    try:
        profile = _profile(table, path, sha256)
        for sentence in contradictions(profile):
            raise ProfileInvalid(sentence)  # noqa: TRY301 - the first of them ends it
    except ProfileInvalid as error:
        msg = f"profile {path}: {error}"
        raise ProfileInvalid(msg) from error
    return profile


def problems(path: Path) -> list[str]:
    """Return all that is wrong with a profile, one sentence each; raise `ProfileInvalid` where it is no TOML at all."""
    table, sha256 = read_toml(path, "profile")
    found = [*_of_version(table), *problems_of(Profile, {**table, "sha256": sha256}, place="")]
    if "sha256" in table:
        found.append(_COMPUTED)
    return found or list(contradictions(_profile(table, path, sha256)))


_COMPUTED = "unknown key `sha256`: it is computed from the file"


def _profile(table: dict[str, object], path: Path, sha256: str) -> Profile:
    if "sha256" in table:
        raise ProfileInvalid(_COMPUTED)
    for sentence in _of_version(table):
        raise ProfileInvalid(sentence)
    profile = read_table(Profile, {**table, "sha256": sha256}, place="")
    here = {there: str((path.parent / name).resolve()) for there, name in profile.container.mounts.items()}
    return replace(profile, container=replace(profile.container, mounts=here))


def _of_version(table: dict[str, object]) -> list[str]:
    """Judge the version before all else: another one has other keys."""
    wrong = of_version(table.get("schema", SCHEMA), SCHEMA)
    return [wrong] if wrong else []
