"""`harness load --soak`: one rate for long, lap by lap, and whether anything grows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.load.soak import lap_s, soak
from harness.report.soak_plot import draw_soak

if TYPE_CHECKING:
    from pathlib import Path

    from harness.load.laps import Lap
    from harness.load_setting import Setting


def run_soak(setting: Setting) -> int:
    """Soak, say each lap, and return the verdict's exit status."""
    chosen = setting.asked.chosen
    folder: Path = (chosen.report_dir / "load").resolve()
    plan = setting.plan(duration_s=chosen.soak, lap_s=lap_s(chosen.soak))

    def hear(lap: Lap) -> None:
        setting.line.clear()
        setting.say(f"  {_told(lap)}")

    try:
        done = soak(plan, folder, sut=setting.sut, crew=setting.asked.crew, watch=setting.line.show, hear=hear)
    finally:
        setting.line.clear()
    judgement = done.judgement()
    plot = draw_soak(plan, done, judgement, folder / "soak.png")
    setting.say(f"{judgement}\nplot     {plot}")
    if chosen.format == "json":
        content: dict[str, object] = {"schema": 1, "verdict": judgement.verdict.value, "rate_per_s": plan.rate_per_s}
        content |= {"laps": len(done.laps), "figures": asdict(judgement.figures), "plot": str(plot)}
        print(json.dumps(content, indent=2), flush=True)  # noqa: T201 - printing is what a command does
    return judgement.verdict.exit_status


def _told(lap: Lap) -> str:
    over, latencies = lap.judgement.over_budget, lap.judgement.figures.latencies
    spoiled = f", does not count: {lap.judgement.spoiled[0]}" if lap.judgement.spoiled else ""
    return (
        f"lap {lap.number:3}, {lap.begin_s:.0f} to {lap.end_s:.0f} s: {over.of} requests, {over.hits} late or wrong, "
        f"p50 {latencies.p50_s * 1000:.1f} ms, p99 {latencies.p99_s * 1000:.1f} ms{spoiled}"
    )
