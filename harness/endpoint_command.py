"""`harness endpoint up`: an endpoint of SageMaker's kind on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.release.endpoint import Endpoint, EndpointConfig

    Say = Callable[[str], None]

_UNKNOWN, _WRONG_USAGE = 2, 4
_DEFAULT = Path("endpoint.toml")
_EVERY_S, _SELDOM_S = 1.0, 10.0
_UP_AND_CLEAR = "\x1b[{lines}F\x1b[J"
_BEGIN_WITH = """begin with this one, and write your images into it:

[[variants]]
name = "champion"
image = "inference-harness/reference"
weight = 9

[[variants]]
name = "challenger"
image = "inference-harness/reference"
weight = 1"""


def add_up(parser: argparse.ArgumentParser) -> None:
    """Declare `harness endpoint up`."""
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, default=_DEFAULT, help="what stands in it (default: %(default)s)"
    )
    parser.set_defaults(run=run_up)


def run_up(chosen: argparse.Namespace) -> int:
    """Bring an endpoint up, say what it gets, take it down at Ctrl-C; 0, 2 where it cannot be up, 4 wrong usage."""
    from harness.release.endpoint import CannotServe, ConfigInvalid, load_config  # noqa: PLC0415 - loads what it needs
    from harness.system import NotSetUp  # noqa: PLC0415 - likewise

    try:
        config = load_config(chosen.config)
    except ConfigInvalid as error:
        _complain(f"{error}{'' if chosen.config.exists() else f'; {_BEGIN_WITH}'}")
        return _WRONG_USAGE
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _stay_up(config)
    except KeyboardInterrupt:
        return 0
    except (NotSetUp, CannotServe, OSError) as error:
        _complain(str(error))
        return _UNKNOWN


def _stay_up(config: EndpointConfig) -> int:
    from harness.release.endpoint import Endpoint  # noqa: PLC0415 - a command loads what it needs
    from harness.system.image import ensure_named  # noqa: PLC0415 - likewise

    for image in dict.fromkeys(one.image for one in config.everybody if one.image):
        ensure_named(image, say=_say)
    for one in config.everybody:
        _say(f"{one.name}: " + (f"{one.instances} x {one.image}" if one.image else f"waiting for {one.url}"))
    board = Board()
    with Endpoint.up(config, say=board.say) as endpoint:
        _say(_greeting(endpoint))
        try:
            while True:
                board.show(endpoint)
                time.sleep(_EVERY_S)
        except KeyboardInterrupt:
            board.show(endpoint, is_last=True)
            _say("going down: what is in flight is answered, then the containers are removed")
    return 0


def _greeting(endpoint: Endpoint) -> str:
    variant = next(iter(endpoint.weights()))
    return f"""endpoint {endpoint.name} is up at {endpoint.url} (Ctrl-C takes it down); any credentials will do:

import boto3
here = dict(endpoint_url="{endpoint.url}", region_name="local", aws_access_key_id="any", aws_secret_access_key="any")
runtime = boto3.client("sagemaker-runtime", **here)
runtime.invoke_endpoint(EndpointName="{endpoint.name}", ContentType="application/json", Body=body)["Body"].read()

# to change weights while it is up:
boto3.client("sagemaker", **here).update_endpoint_weights_and_capacities(
    EndpointName="{endpoint.name}", DesiredWeightsAndCapacities=[dict(VariantName="{variant}", DesiredWeight=1)])
"""


class Board:
    """What each variant got: kept in its place on a terminal, elsewhere said again when it has changed."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._is_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._shown: list[str] = []
        self._said_s = -_SELDOM_S

    def say(self, line: str) -> None:
        """Say what happens to containers, above the board."""
        self._clear()
        _say(f"{time.strftime('%H:%M:%S')}  {line}")

    def show(self, endpoint: Endpoint, *, is_last: bool = False) -> None:
        """Show the board as it is now."""
        from harness.release.endpoint.board import board_of  # noqa: PLC0415 - a command loads what it needs

        lines, now_s = board_of(endpoint.tallies()), time.monotonic()
        if self._is_terminal:
            self._clear()
        elif not is_last and (lines == self._shown or now_s - self._said_s < _SELDOM_S):
            return
        _say("\n".join(lines))
        self._shown, self._said_s = lines, now_s

    def _clear(self) -> None:
        if self._is_terminal and self._shown:
            sys.stdout.write(_UP_AND_CLEAR.format(lines=len(self._shown)))
            self._shown = []


def _complain(why: str) -> None:
    print(f"harness: {why}", file=sys.stderr)  # noqa: T201 - a command speaks


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command speaks
