"""One line on a terminal that is written over again; where there is no terminal, nothing."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from typing import TextIO

_CLEAR = "\r\x1b[2K"


@dataclass(slots=True)
class ProgressLine:
    """Shows the latest on a stream, by default the standard error, so that what is piped stays clean."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def show(self, what: object) -> None:
        """Write over what was shown before, as far as the terminal is wide."""
        if self.stream.isatty():
            self.stream.write(f"{_CLEAR}{str(what)[: shutil.get_terminal_size().columns - 1]}")
            self.stream.flush()

    def clear(self) -> None:
        """Leave an empty line for what is said next."""
        if self.stream.isatty():
            self.stream.write(_CLEAR)
            self.stream.flush()
