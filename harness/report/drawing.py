"""How matplotlib draws for a page."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def drawn_as_text() -> Iterator[None]:
    """Have matplotlib write words as text, which a page can show in its own font and a reader can search."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        yield
