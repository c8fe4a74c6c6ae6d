"""The reference container's modules import each other by plain names: in the image they lie side by side."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "reference_container"))
