"""The endpoint as whoever steers it sees it."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from harness.contract.profile import load_profile
from harness.release.endpoint.config import (
    ConfigInvalid,
    ShadowConfig,
    VariantConfig,
    check_variants,
    profile_path,
)
from harness.release.endpoint.control import Control
from harness.release.endpoint.fleet import start
from harness.release.endpoint.supply import ContainerSupply
from harness.release.endpoint.works import Works
from harness.system.guard import begin_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from harness.release.endpoint.config import EndpointConfig
    from harness.release.endpoint.supply import Supply
    from harness.release.endpoint.tally import Invocation, Tally
    from harness.system.guard import Run

    Say = Callable[[str], None]


class Endpoint:
    """An endpoint that is up: its router answers on the loopback address, its containers are looked after."""

    @classmethod
    def up(cls, config: EndpointConfig, *, run: Run | None = None, say: Say = print) -> Self:
        """Start every variant's containers, wait until each is ready, then answer calls.

        `run` owns the containers; by default one that begins and ends with the endpoint. `say` is told in a line each
        what happens to containers. Raises `CannotServe` where a container cannot be started or does not become ready,
        `OSError` where the port is taken: nothing is left then.
        """
        own = begin_run() if run is None and any(one.image for one in config.everybody) else None
        try:
            return cls(config, ContainerSupply(load_profile(profile_path(config)), run or own), own=own, say=say)
        except BaseException:
            if own is not None:
                own.end()
            raise

    def __init__(self, config: EndpointConfig, supply: Supply, *, own: Run | None = None, say: Say = print) -> None:
        """Bring it up with containers of a supply; `own` is a run that ends with it. `up` is the usual way."""
        self._config = config
        self._supply = supply
        self._own = own
        self._steering = threading.RLock()
        self._is_up = True
        profile = load_profile(profile_path(config))
        self._works = Works(config, profile, supply, control=Control(self), say=say)
        try:
            self._url = self._works.open()
        except BaseException:
            self._works.close()
            raise

    def down(self) -> None:
        """Refuse new calls, answer what is in flight, remove the containers; what is down stays so.

        Tallies and invocations stay readable.
        """
        with self._steering:
            if not self._is_up:
                return
            self._is_up = False
            self._works.close()
            if self._own is not None:
                self._own.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.down()

    @property
    def url(self) -> str:
        """What boto3 takes as `endpoint_url`."""
        return self._url

    @property
    def name(self) -> str:
        """What boto3 takes as `EndpointName`."""
        return self._config.name

    def weights(self) -> dict[str, float]:
        """Return each production variant's weight."""
        return {one.name: one.weight for one in self._configs()}

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the weights of variants, all at one moment; those not named keep theirs.

        Raises `ConfigInvalid` for an unknown variant, a weight below 0, or where none would be left with a weight.
        """
        with self._steering:
            for name, weight in weights.items():
                self._known(name)
                if not 0 <= weight < math.inf:
                    msg = f"the weight of {name!r} must be a number, 0 or more, got {weight}"
                    raise ConfigInvalid(msg)
            after = tuple(replace(one, weight=weights.get(one.name, one.weight)) for one in self._configs())
            self._check(after)
            self._works.weigh(after)

    def add_variant(self, variant: VariantConfig) -> None:
        """Start a production variant beside the others; it gets calls once all its containers are ready.

        Raises `ConfigInvalid`, or `CannotServe` where its containers do not become ready: nothing has changed then.
        """
        with self._steering:
            self._check((*self._configs(), variant))
            self._works.join(variant, start(self._supply, variant))

    def remove_variant(self, name: str) -> None:
        """Give a variant no more calls, wait until those in flight are answered, then remove its containers.

        Its tally stays readable. Raises `ConfigInvalid` where it is unknown, or no other variant has a weight.
        """
        with self._steering:
            self._known(name)
            self._check(tuple(one for one in self._configs() if one.name != name))
            self._works.leave(name)

    def set_shadow(self, shadow: ShadowConfig | None) -> None:
        """Start a shadow variant in place of the one that is there, or with None end it.

        Raises as `add_variant` does: nothing has changed then.
        """
        with self._steering:
            check_variants(self._configs(), shadow)
            joining = start(self._supply, shadow) if shadow is not None else []
            self._works.leave_shadow()
            if shadow is not None:
                self._works.join(shadow, joining)

    def tallies(self) -> dict[str, Tally]:
        """Return what each variant got since it joined, the shadow and those removed included."""
        return self._works.tallies()

    def invocations(self, *, after: int = 0) -> list[Invocation]:
        """Return the invocations that are remembered and have a number above `after`, the oldest first."""
        return self._works.invocations(after)

    def _configs(self) -> tuple[VariantConfig, ...]:
        configs = (one.config for one in tuple(self._works.router.variants.values()))
        return tuple(one for one in configs if isinstance(one, VariantConfig))

    def _check(self, variants: tuple[VariantConfig, ...]) -> None:
        shadow = self._works.router.shadow.config if self._works.router.shadow is not None else None
        check_variants(variants, shadow if isinstance(shadow, ShadowConfig) else None)

    def _known(self, name: str) -> None:
        if name not in self._works.router.variants:
            msg = f"there is no production variant {name!r}; there are: {', '.join(self._works.router.variants)}"
            raise ConfigInvalid(msg)
