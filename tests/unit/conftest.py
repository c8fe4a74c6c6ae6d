"""The reference container's modules import each other by plain names, and what collection made stays."""

import gc
import sys
from pathlib import Path

# In the image they lie side by side.
sys.path.append(str(Path(__file__).parents[2] / "reference_container"))


def pytest_collection_finish() -> None:
    """Tell the garbage collector of the modules and tests that are there to stay: it need not look at each again."""
    gc.collect()
    gc.freeze()
