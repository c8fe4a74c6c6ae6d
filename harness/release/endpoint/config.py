"""`endpoint.toml`: which variants an endpoint has, what each weighs, and the limits that it keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid, of_version, read_table, read_toml

SCHEMA = 1
# SageMaker's own limits.
MOST_VARIANTS = 10
PAYLOAD_BYTES = 6_291_456
DEADLINE_S = 60.0
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class ConfigInvalid(ValueError):  # noqa: N818 - named by what happened
    """A description of an endpoint breaks a rule; the message names place, rule, what was found and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantConfig:
    """One production variant: containers of an `image`, or one at a `url` that somebody else runs.

    Its share of the calls is its weight over the sum of all weights. `instances` is how many containers of the image.
    """

    name: str
    image: str = ""
    url: str = ""
    weight: float = 1.0
    instances: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowConfig:
    """The shadow variant: it gets a copy of a `share` of the calls, and nobody gets its answers."""

    name: str
    image: str = ""
    url: str = ""
    share: float = 1.0
    instances: int = 1


AnyVariant = VariantConfig | ShadowConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How containers are looked after; times in seconds.

    After so many failed pings in a row a container gets no calls any more and is replaced; one that exited is at once.
    """

    ping_every_s: float = 1.0
    failed_pings: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """An endpoint: times in seconds, sizes in bytes; `port` 0 takes a free one.

    `profile` is the file that says what the containers promise, "" the shipped one. `kept` is how many invocations are
    remembered with their bodies. `seed` repeats the order in which variants are chosen; 0 is chance.
    """

    variants: tuple[VariantConfig, ...]
    schema: int = SCHEMA
    name: str = "endpoint"
    port: int = 0
    profile: str = ""
    deadline_s: float = DEADLINE_S
    payload_bytes: int = PAYLOAD_BYTES
    kept: int = 1000
    seed: int = 0
    shadow: ShadowConfig | None = None
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        """Refuse what SageMaker would refuse; raise `ConfigInvalid` with one sentence."""
        _check_name("name", self.name)
        check_variants(self.variants, self.shadow)
        if self.deadline_s <= 0:
            msg = f"`deadline_s` must be more than 0, got {self.deadline_s:g}"
            raise ConfigInvalid(msg)
        if not 0 <= self.port <= 65535:  # noqa: PLR2004 - TCP's own number
            msg = f"`port` must be from 0 to 65535, got {self.port}"
            raise ConfigInvalid(msg)
        if self.health.ping_every_s <= 0 or self.health.failed_pings < 1:
            msg = "`ping_every_s` in `[health]` must be more than 0, and `failed_pings` 1 or more"
            raise ConfigInvalid(msg)

    @property
    def everybody(self) -> tuple[AnyVariant, ...]:
        """The production variants, and the shadow where there is one."""
        return (*self.variants, *([self.shadow] if self.shadow is not None else []))


def load_config(path: Path) -> EndpointConfig:
    """Read `endpoint.toml`; raise `ConfigInvalid` with one sentence that names file, place and way out.

    A relative `profile` is looked for beside the file.
    """
    table, _ = read_toml(path, "endpoint", ConfigInvalid)
    try:
        _check_version(table.get("schema", SCHEMA))  # first: another version has other keys
        name = table.get("profile")
        if isinstance(name, str) and name:
            table["profile"] = str(path.parent / name)
            load_profile(path.parent / name)
        return read_table(EndpointConfig, table, place="")
    except (ProfileInvalid, ConfigInvalid) as error:
        msg = f"endpoint {path}: {error}"
        raise ConfigInvalid(msg) from error


def _check_version(found: object) -> None:
    if wrong := of_version(found, SCHEMA):
        raise ConfigInvalid(wrong)


def profile_path(config: EndpointConfig) -> Path:
    """Return the file that says what the containers promise."""
    return Path(config.profile) if config.profile else DEFAULT_PROFILE


def check_variants(variants: tuple[VariantConfig, ...], shadow: ShadowConfig | None) -> None:
    """Raise `ConfigInvalid` where the variants cannot stand side by side in one endpoint."""
    if not 1 <= len(variants) <= MOST_VARIANTS:
        msg = f"an endpoint has 1 to {MOST_VARIANTS} `[[variants]]`, got {len(variants)}"
        raise ConfigInvalid(msg)
    if shadow is not None and len(variants) != 1:
        msg = f"an endpoint with a `[shadow]` has one production variant, as SageMaker has it, got {len(variants)}"
        raise ConfigInvalid(msg)
    for place, one in enumerate(variants):
        _check_variant(f"variants[{place}]", one)
    if shadow is not None:
        _check_variant("shadow", shadow)
        if not 0 < shadow.share <= 1:
            msg = f"`shadow.share` must be more than 0 and 1 at most, got {shadow.share:g}"
            raise ConfigInvalid(msg)
    _check_distinct([one.name for one in variants] + ([shadow.name] if shadow else []))
    if not any(one.weight for one in variants):
        msg = "no variant has a `weight`: give one of them more than 0, or nobody would answer"
        raise ConfigInvalid(msg)


def _check_variant(place: str, one: AnyVariant) -> None:
    _check_name(f"{place}.name", one.name)
    if bool(one.image) == bool(one.url):
        msg = f"`{place}` ({one.name}) must have either `image` or `url`"
        raise ConfigInvalid(msg)
    if one.url and not one.url.startswith(("http://", "https://")):
        msg = f"`{place}.url` must begin with http:// or https://, got {one.url!r}"
        raise ConfigInvalid(msg)
    if one.instances < 1 or (one.url and one.instances != 1):
        msg = f"`{place}.instances` must be 1 or more, and 1 at a `url`, got {one.instances}"
        raise ConfigInvalid(msg)


def _check_name(place: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        msg = f"`{place}` must be 1 to 63 letters, digits and hyphens within, got {name!r}"
        raise ConfigInvalid(msg)


def _check_distinct(names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"two variants are called {twice!r}: each needs a name of its own"
        raise ConfigInvalid(msg)
