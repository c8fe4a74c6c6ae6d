"""The front's end of the model: it starts the model's process, asks it, and replaces it when it dies or hangs."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence

import gevent
from gevent import socket, subprocess
from gevent.event import AsyncResult, Event
from json_lines import write_line
from model_process import ANSWER, BATCH, FEATURES, QUESTION, READY_ID

WAITING_MOST = 128
TICK_S = 0.25
# Time is counted in ticks of our own, so that a pause of the whole container is no silence of the model.
DOUBTFUL_TICKS = 10
HUNG_TICKS = 20
LOADING_TICKS = 480
BACK_OFF_S = (0.1, 0.5, 1.0, 2.0)
_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model_process.py")  # noqa: PTH100, PTH118, PTH120 - pathlib costs start time
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


class ModelUnavailable(Exception):  # noqa: N818 - named by what happened
    """No answer from the model: it is loading, overloaded, late or gone; worth another try after a second."""


class ModelClient:
    """One model process and the questions that wait for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, AsyncResult] = {}
        self._asked: list[bytes] = []
        self._to_send = Event()
        self._last_id = READY_ID
        self._loaded = False
        self._silent_ticks = 0

    @classmethod
    def start(cls) -> "ModelClient":
        """Return a client that has begun to load the model and keeps it loaded from now on."""
        client = cls()
        gevent.spawn(client._keep_alive)
        gevent.sleep(0)  # its turn: the process starts before anything else is done here
        return client

    @property
    def ready(self) -> bool:
        """Whether the model has loaded, made a prediction, and is not silent now."""
        return self._loaded and self._silent_ticks < DOUBTFUL_TICKS

    def predict(self, numbers: Sequence[float], *, timeout_s: float) -> float:
        """Return the correction for FEATURES numbers. Raises ModelUnavailable within `timeout_s`."""
        if not self.ready:
            msg = "the model is not ready"
            raise ModelUnavailable(msg)
        if len(self._waiting) >= WAITING_MOST:
            msg = "too many requests wait for the model"
            raise ModelUnavailable(msg)
        return self._ask(numbers, timeout_s=timeout_s)

    def _ask(self, numbers: Sequence[float], *, timeout_s: float) -> float:
        self._last_id += 1
        request_id, answer = self._last_id, AsyncResult()
        self._waiting[request_id] = answer
        self._asked.append(QUESTION.pack(request_id, *numbers))
        self._to_send.set()
        try:
            with gevent.Timeout(max(timeout_s, 0.0)):
                return answer.get()
        except gevent.Timeout as exc:
            msg = "the model did not answer in time"
            raise ModelUnavailable(msg) from exc
        finally:
            self._waiting.pop(request_id, None)

    def _send(self, ours: socket.socket) -> None:
        """Send what is asked; this greenlet's turn comes after all requests at hand, so that they go as one frame."""
        while True:
            self._to_send.wait()
            frame, self._asked = self._asked[:BATCH], self._asked[BATCH:]
            if not self._asked:
                self._to_send.clear()
            try:
                ours.send(b"".join(frame))
            except OSError:
                return  # The model is gone, and whoever takes its answers sees it too.

    def _keep_alive(self) -> None:
        """Run one model process after another, a little slower each time one dies before it has loaded."""
        failures = 0
        while True:
            loaded = self._run()
            failures = 0 if loaded else failures + 1
            gevent.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])

    def _run(self) -> bool:
        """Start a model process and take its answers until it is gone; return whether it ever was ready."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        started_s = time.monotonic()
        with ours:
            with theirs:
                self._process = _spawn(theirs.fileno())
            self._silent_ticks = 0
            aides = [gevent.spawn(self._watch), gevent.spawn(self._send, ours)]
            try:
                self._take_answers(ours, started_s)
            finally:
                gevent.killall(aides)
                loaded = self._loaded
                self._clear()
        return loaded

    def _take_answers(self, ours: socket.socket, started_s: float) -> None:
        while frame := _received(ours):
            self._silent_ticks = 0
            for request_id, correction in ANSWER.iter_unpack(frame):
                if request_id == READY_ID:
                    self._loaded = True
                    write_line(event="model_ready", load_s=round(time.monotonic() - started_s, 3))
                elif request_id in self._waiting:
                    self._waiting.pop(request_id).set(correction)

    def _clear(self) -> None:
        """Forget the process that is gone, and tell those who wait for it."""
        self._loaded = False
        self._kill()
        waiting, self._waiting, self._asked = self._waiting, {}, []
        self._to_send.clear()
        for answer in waiting.values():
            answer.set_exception(ModelUnavailable("the model is gone"))
        if self._process is not None:
            write_line(event="model_gone", status=self._process.wait())

    def _watch(self) -> None:
        """Count the silence of a model that was asked, ask one that was not, and kill one that hangs."""
        while True:
            gevent.sleep(TICK_S)
            self._silent_ticks += 1
            if self._silent_ticks > (HUNG_TICKS if self._loaded else LOADING_TICKS):
                write_line(event="model_hung", silent_s=self._silent_ticks * TICK_S)
                self._kill()
            elif self._loaded and self._silent_ticks % 4 == 0:
                gevent.spawn(self._knock)

    def _knock(self) -> None:
        """Ask for a prediction that nobody wants, to hear whether the model lives."""
        with contextlib.suppress(ModelUnavailable):
            self._ask([0.0] * FEATURES, timeout_s=HUNG_TICKS * TICK_S)

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)


def _spawn(fileno: int) -> "subprocess.Popen[bytes]":
    """Start the model's program with one end of the socket pair."""
    return subprocess.Popen(
        [sys.executable, _PROGRAM, str(fileno)],
        env=os.environ | _ENVIRONMENT,
        pass_fds=[fileno],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _received(ours: socket.socket) -> bytes:
    try:
        return ours.recv(BATCH * ANSWER.size)
    except OSError:
        return b""
