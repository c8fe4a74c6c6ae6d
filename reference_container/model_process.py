"""The model's own process: it answers frames of questions with frames of corrections, until its socket closes.

A question is an id and FEATURES numbers; a frame holds up to BATCH of them, all that came together.
"""

import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

from features import FEATURES

QUESTION = struct.Struct(f"<Q{FEATURES}f")
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
    """Answer until the front closes; what comes together is answered as one batch."""
    import numpy as np  # noqa: PLC0415 - TensorFlow brought it

    questions = np.dtype([("id", "<u8"), ("numbers", "<f4", FEATURES)])
    infer(np.zeros((1, FEATURES), np.float32))
    front.send(ANSWER.pack(READY_ID, 0.0))
    while frame := front.recv(BATCH * QUESTION.size):
        asked = np.frombuffer(frame, questions)
        corrections = infer(np.ascontiguousarray(asked["numbers"]))
        front.send(_packed(asked["id"].tolist(), corrections))


def _packed(ids: Sequence[int], corrections: Sequence[Any]) -> bytes:
    return b"".join(map(ANSWER.pack, ids, corrections))


def main() -> None:
    """Serve the socket whose file descriptor is the only argument, and die with the process that owns the other end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    front = socket.socket(fileno=int(sys.argv[1]))
    front.settimeout(None)  # The front's library made both ends non-blocking.
    serve(front, load())


if __name__ == "__main__":
    main()
