"""The model's own process: it answers frames of features with frames of corrections, until its socket closes."""

import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence

from features import FEATURES

REQUEST = struct.Struct(f"<Q{FEATURES}f")
ANSWER = struct.Struct("<Qd")
READY_ID = 0
BATCH = 32
MODEL_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model", "1")  # noqa: PTH100, PTH118, PTH120 - pathlib costs start time
_PR_SET_PDEATHSIG = 1

Infer = Callable[[Sequence[Sequence[float]]], Sequence[float]]


def load(directory: str = MODEL_DIR) -> Infer:
    """Load the model: [batch, FEATURES] -> [batch] corrections, as shares of the last close."""
    import tensorflow as tf  # noqa: PLC0415 - seconds and hundreds of MB, which only this process pays

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = tf.saved_model.load(directory)
    function = model.signatures["serving_default"]

    def infer(rows: Sequence[Sequence[float]]) -> Sequence[float]:
        return function(features=tf.constant(rows, tf.float32))["correction"].numpy().tolist()

    # The function lives no longer than the object that it was loaded with.
    infer.model = model  # type: ignore[attr-defined]
    return infer


def serve(front: socket.socket, infer: Infer) -> None:
    """Answer until the front closes; what waits is answered as one batch."""
    infer([[0.0] * FEATURES])
    front.send(ANSWER.pack(READY_ID, 0.0))
    while frames := _waiting(front):
        requests = [REQUEST.unpack(frame) for frame in frames]
        corrections = infer([numbers for _, *numbers in requests])
        for (request_id, *_), correction in zip(requests, corrections, strict=True):
            front.send(ANSWER.pack(request_id, correction))


def _waiting(front: socket.socket) -> list[bytes]:
    """Wait for a frame, and take along what came with it; the end of the connection is an empty list."""
    frames = [front.recv(REQUEST.size)]
    while frames[-1] and len(frames) < BATCH:
        try:
            frames.append(front.recv(REQUEST.size, socket.MSG_DONTWAIT))
        except BlockingIOError:
            break
    return [] if not frames[-1] else frames


def main() -> None:
    """Serve the socket whose file descriptor is the only argument, and die with the process that owns the other end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    front = socket.socket(fileno=int(sys.argv[1]))
    front.settimeout(None)  # The front's library made both ends non-blocking.
    serve(front, load())


if __name__ == "__main__":
    main()
