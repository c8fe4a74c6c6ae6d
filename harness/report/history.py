"""The verdicts of earlier runs, kept beside the report: what was concluded, about which image, and when."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.report.results import FILE as CHECKS
from harness.report.verdict import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = "history"
PAGE = "report.html"
KEPT = 50
# A registry's port has a colon too, but what follows it has a slash.
_TAG = re.compile(r"(@[^/]*|:[^/:]*)$")
_NO_NAME = re.compile(r"[^0-9A-Za-z]+")


def put_away(folder: Path) -> None:
    """Move the verdict in a report's folder to its history, so that it is never taken for the next run's.

    What was concluded is kept, the evidence is not; a verdict on nothing is not kept.
    """
    path = folder / FILE
    found = _verdict(path)
    if found is not None:
        history = folder / FOLDER
        history.mkdir(exist_ok=True)
        name = _NO_NAME.sub("", found["started"])
        (history / f"{name}.json").write_text(json.dumps(_without_evidence(found)) + "\n", encoding="utf-8")
        for oldest in sorted(history.glob("*.json"))[:-KEPT]:
            oldest.unlink()
    for name in (FILE, CHECKS, PAGE):
        (folder / name).unlink(missing_ok=True)


def earlier(folder: Path, verdict: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the verdicts on images of the same name that were concluded before this one, the newest first."""
    name, started = repository(verdict["image"]["name"] or ""), verdict["started"] or ""
    found = [read for path in (folder / FOLDER).glob("*.json") if (read := _verdict(path)) is not None]
    mine = [one for one in found if repository(one["image"]["name"]) == name and one["started"] < started]
    return tuple(sorted(mine, key=lambda one: str(one["started"]), reverse=True))


def repository(image: str) -> str:
    """Return an image's name without tag or digest; an endpoint's URL as it is."""
    return image if "://" in image else _TAG.sub("", image)


def _verdict(path: Path) -> dict[str, Any] | None:
    """Read a verdict; None where there is none, or nothing was examined."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        named = found["image"]["name"], found["started"], found["verdict"], found["rules"], found["suites"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    *texts, rules, suites = named
    is_one = all(isinstance(text, str) for text in texts) and isinstance(rules, dict) and isinstance(suites, dict)
    return found if is_one else None


def _without_evidence(verdict: Mapping[str, Any]) -> dict[str, Any]:
    rules = {
        rule_id: {**entry, "failures": [{"check": failure["check"]} for failure in entry["failures"]]}
        for rule_id, entry in verdict["rules"].items()
    }
    return {**verdict, "rules": rules}
