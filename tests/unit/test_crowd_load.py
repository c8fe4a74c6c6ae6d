"""Bad clients ask for no more predictions than the profile promises, those of the probes included."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.faults import FAULTS
from harness.faults.bad_network import BadNetwork
from harness.faults.crowd import Crowd
from harness.faults.traffic import Traffic

PROFILE = load_profile()
SERIES = generate(seed=1, seconds=120)
HEAD = re.compile(rb"POST \S+ HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*?Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n")


NEVER_WHOLE = ("half_open", "black_hole")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Counter:
    """Takes every connection, and counts and answers the requests for a prediction that came whole."""

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.whole = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def _read(self, client: socket.socket) -> None:
        came = b""
        with client, contextlib.suppress(OSError):
            while block := client.recv(1 << 20):
                came += block
                while (head := HEAD.search(came)) and len(came) >= head.end() + int(head[1]):
                    body = came[head.end() : head.end() + int(head[1])]
                    self.whole += body.startswith(b'{"window"') and body.endswith(b"]}")
                    came = came[head.end() + len(body) :]
                    client.sendall(ANSWER)
                    if b"Connection: close" in head[0] or not self._keeps:
                        return

    def close(self) -> None:
        """Take no further connection."""
        self._socket.close()


def test_no_more_is_asked_than_is_promised() -> None:
    made = [make(PROFILE, SERIES) for make in FAULTS.values()]
    # Of what clients of a network send that loses it, nothing arrives whole; those of others come again at once.
    faults = [each for each in made if isinstance(each, (Traffic, BadNetwork)) and each.name not in NEVER_WHOLE]
    undisturbed = [fault for fault in faults if fault.expects.undisturbed]
    counters = {fault.name: Counter(keeps=isinstance(fault, Traffic)) for fault in undisturbed}
    crowds = [Crowd([counters[fault.name].url], fault.manner) for fault in undisturbed]
    began_s = time.monotonic()
    for crowd in crowds:
        crowd.come()
    time.sleep(PROFILE.chaos.traffic_s)
    for crowd in crowds:
        crowd.leave()
    lasted_s = time.monotonic() - began_s
    time.sleep(0.1)
    for counter in counters.values():
        counter.close()
    spare_per_s = PROFILE.load.rate_per_s - PROFILE.chaos.probe_rate_per_s
    # One more, since the stretch may hold the first of one more round.
    most = spare_per_s * lasted_s + 1
    assert {name: counter.whole for name, counter in counters.items() if counter.whole > most} == {}
    assert sum(counter.whole for counter in counters.values()) > 0
