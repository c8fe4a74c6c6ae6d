"""The handle of a proxy: starts its process, gives it orders, ends it."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, Any, cast

from harness.system.proxy.link import Tally
from harness.system.proxy.troubles import Clear, Trouble, to_order

_PROCESS = "harness.system.proxy.process"
_ANSWER_S = 10.0
_END_S = 10.0
_CLEAR = Clear()


class ProxyLost(Exception):  # noqa: N818 - named by what happened
    """The proxy's process does not do what it is told: ours, and nothing is known about the sut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a client meets behind one door: troubles towards the sut and back."""

    to_sut: Trouble = _CLEAR
    to_client: Trouble = _CLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a door counted; `unreachable` is how often the sut took no connection."""

    unreachable: int
    to_sut: Tally
    to_client: Tally


class Proxy:
    """A process that stands between clients and `upstream`; it ends with this one, however that ends."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._process = subprocess.Popen(
            [sys.executable, "-m", _PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._orders, self._answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether its process, and with it every connection, is gone."""
        return self._process.poll() is not None

    def open(self, way: Way) -> int:
        """Open a door and return its port, on the loopback address."""
        host, port = self._upstream
        troubles = {"to_sut": to_order(way.to_sut), "to_client": to_order(way.to_client)}
        return int(self._order({"open": {"host": host, "port": port, **troubles}})["port"])

    def tell(self) -> list[Told]:
        """Return what each door counted so far, in the order of their opening."""
        return [_told(door) for door in self._order({"tell": True})["doors"]]

    def end(self) -> None:
        """End its process, as often as one likes."""
        with contextlib.suppress(OSError):  # it may have ended already
            self._orders.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_END_S)
        self._answers.close()

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            self._orders.write(json.dumps(order).encode() + b"\n")
            self._orders.flush()
        except OSError as error:
            raise self._lost() from error
        # One line answers each order, so nothing waits in a buffer of ours.
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        line = self._answers.readline() if poll.poll(_ANSWER_S * 1000) else b""
        if not line:
            raise self._lost()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _lost(self) -> ProxyLost:
        how = "does not answer" if self._process.poll() is None else f"ended with {self._process.returncode}"
        return ProxyLost(f"the proxy's process {how}: see its traceback above")


def _told(door: dict[str, Any]) -> Told:
    return Told(unreachable=door["unreachable"], to_sut=Tally(**door["to_sut"]), to_client=Tally(**door["to_client"]))
