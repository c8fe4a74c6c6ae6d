"""What each variant got, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.load.share import percentile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.release.endpoint.tally import Tally

_HEAD = ("variant", "share", "calls", "errors", "over budget", "p50", "p99", "ready")


def board_of(tallies: Mapping[str, Tally]) -> list[str]:
    """Return a head and a line a variant."""
    total = sum(one.weight for one in tallies.values() if not one.is_shadow)
    rows = [_HEAD, *(_row(one, total) for one in tallies.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [_line(row, widths) for row in rows]


def _row(one: Tally, total: float) -> tuple[str, ...]:
    share = one.weight if one.is_shadow else one.weight / total if total else 0.0
    ordered = sorted(one.latencies_s)
    p50, p99 = (f"{percentile(ordered, part) * 1000:.1f} ms" if ordered else "-" for part in (0.5, 0.99))
    errors = ", ".join(f"{times} {kind}" for kind, times in one.errors.items()) or "0"
    ready = f"{one.ready}, {one.replaced} replaced" if one.replaced else str(one.ready)
    name = f"{one.variant} (shadow)" if one.is_shadow else one.variant
    return (name, f"{share:.0%}", str(one.requests), errors, str(one.over_budget), p50, p99, ready)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join((first, *rest)).rstrip()
