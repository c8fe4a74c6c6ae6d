"""The endpoint as whoever steers it sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from harness.release.endpoint.config import EndpointConfig, ShadowConfig, VariantConfig
    from harness.release.endpoint.tally import Invocation, Tally
    from harness.system.guard import Run

    Say = Callable[[str], None]


class Endpoint:
    """An endpoint that is up: its router answers on the loopback address, its containers are looked after."""

    @classmethod
    def up(cls, config: EndpointConfig, *, run: Run | None = None, say: Say = print) -> Self:
        """Start every variant's containers, wait until each is ready, then answer calls.

        `run` owns the containers; by default one that begins and ends with the endpoint. `say` is told in a line each
        what happens to containers. Raises `CannotServe` where a container cannot be started or does not become ready:
        nothing is left then.
        """
        raise NotImplementedError

    def down(self) -> None:
        """Answer what is in flight, refuse new calls, remove the containers; what is down stays so."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.down()

    @property
    def url(self) -> str:
        """What boto3 takes as `endpoint_url`."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What boto3 takes as `EndpointName`."""
        raise NotImplementedError

    def weights(self) -> dict[str, float]:
        """Return each production variant's weight."""
        raise NotImplementedError

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change the weights of variants, all at one moment; those not named keep theirs.

        Raises `ConfigInvalid` for an unknown variant, a weight below 0, or where none would be left with a weight.
        """
        raise NotImplementedError

    def add_variant(self, variant: VariantConfig) -> None:
        """Start a production variant beside the others; it gets calls, by its weight, once all its containers are ready.

        Raises `ConfigInvalid`, or `CannotServe` where its containers do not become ready: nothing has changed then.
        """
        raise NotImplementedError

    def remove_variant(self, name: str) -> None:
        """Give a variant no more calls, wait until those in flight are answered, then remove its containers.

        Its tally stays readable. Raises `ConfigInvalid` where it is unknown, or no other variant has a weight.
        """
        raise NotImplementedError

    def set_shadow(self, shadow: ShadowConfig | None) -> None:
        """Start a shadow variant in place of the one that is there, or with None end it."""
        raise NotImplementedError

    def tallies(self) -> dict[str, Tally]:
        """Return what each variant got since it joined, the shadow and those removed included."""
        raise NotImplementedError

    def invocations(self, *, after: int = 0) -> list[Invocation]:
        """Return the invocations that are remembered and have a number above `after`, the oldest first."""
        raise NotImplementedError
