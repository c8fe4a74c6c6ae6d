"""The SavedModel's bare call in a loop, one row a call; runs inside the reference image. Prints its p50."""

import json
import statistics
import time

from features import FEATURES
from model_process import load

WARM_UP, CALLS = 300, 4_000


def main() -> None:
    """Load as the container does, call, and print."""
    infer, row = load(), [[0.001] * FEATURES]
    for _ in range(WARM_UP):
        infer(row)
    took_s = []
    for _ in range(CALLS):
        began_s = time.perf_counter()
        infer(row)
        took_s.append(time.perf_counter() - began_s)
    print(json.dumps({"p50_s": statistics.median(took_s)}))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
