"""Cost, as a footnote: how long answers took and how much memory the container holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.audit.finding import Finding, Number, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.audit.model.trial import Answered


def cost_findings(answered: Sequence[Answered], *, budget_s: float, memory_mib: float | None) -> Iterator[Finding]:
    """Say what the answers of this audit cost; the load suite measures at a rate, this does not."""
    if not answered:
        return
    elapsed_ms = np.array([one.reply.elapsed_s for one in answered]) * 1_000
    p50_ms, p99_ms = (float(value) for value in np.quantile(elapsed_ms, [0.5, 0.99]))
    is_over = p99_ms > budget_s * 1_000
    memory = "" if memory_mib is None else f"; the container holds {memory_mib:.0f} MiB"
    numbers: dict[str, Number] = {"latency_p50_ms": p50_ms, "latency_p99_ms": p99_ms, "memory_mib": memory_mib}
    yield Finding(
        id="cost.over_budget" if is_over else "cost.footnote",
        severity=Severity.WARNS if is_over else Severity.INFORMS,
        says=f"Half of the answers took {p50_ms:.3g} ms or less, 99 % took {p99_ms:.3g} ms or less, a few at a time"
        f"{memory}.",
        advice="`harness load` measures at the profile's rate and judges rule P7.",
        numbers=numbers | {"windows": len(answered), "budget_ms": budget_s * 1_000},
    )
