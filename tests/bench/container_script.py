"""Scripts of `inside` that run in a container of the reference image, to their end, and print one line of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.system.container import LOG_LINES, CannotStart, Sut

if TYPE_CHECKING:
    from harness.system.container import Launch
    from tests.bench.contenders import Ground

BUDGET_S = 120.0


def result_of(here: Ground, launch: Launch) -> Any:  # noqa: ANN401 - JSON
    """Run a script and return what the last line that it printed says."""
    sut = Sut(here.image, here.profile, here.run, launch=launch).start()
    try:
        state = sut.wait_exited(budget_s=BUDGET_S)
        if state.exit_code != 0:
            msg = f"{launch.arguments[0]} ended with {state.exit_code}:\n{sut.logs(lines=LOG_LINES)}"
            raise CannotStart(msg)
        return json.loads(sut.logs(lines=1))
    finally:
        sut.remove()
