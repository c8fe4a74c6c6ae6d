"""One experiment a module: run, recorded in the report's folder, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.experiment.experiment import run
from harness.experiment.judge import judge
from harness.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.experiment.judge import Judgement
    from harness.system.container import Sut


@pytest.fixture(scope="module")
def judgement_under(
    own_sut: Callable[[], Sut], profile: Profile, series: Sequence[Second], report_dir: Path
) -> Callable[[str], Judgement]:
    """Run the experiment with a fault, by its name, on a container of the module's own, and judge its record."""

    def experiment(name: str) -> Judgement:
        path = report_dir / "chaos" / f"{name}.jsonl"
        return judge(run(FAULTS[name](profile, series), own_sut(), profile, series, path=path))

    return experiment
