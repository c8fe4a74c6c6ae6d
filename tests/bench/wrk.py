"""wrk, the peer that loads in a closed loop: rate and percentiles of one run."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.system.command import last_lines, run
from tests.bench import peers

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRACE_S = 20
# wrk's script: sends the given requests in turn, and prints what it counted as one line of JSON.
_SCRIPT = """
local headers, requests, turn = {["Accept"] = "application/json"}, {}, 0
init = function()
  for index, body in ipairs(bodies) do
    headers["Content-Type"] = body[1]
    requests[index] = wrk.format("POST", path, headers, body[2])
  end
end
request = function() turn = turn % #requests + 1; return requests[turn] end
done = function(summary, latency)
  local found = summary.errors
  local errors = found.connect + found.read + found.write + found.status + found.timeout
  io.write(string.format('\\n{"requests": %d, "duration_s": %f, "errors": %d, "p50_s": %f, "p99_s": %f}\\n',
    summary.requests, summary.duration / 1e6, errors, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


class WrkFailed(Exception):  # noqa: N818 - named by what happened
    """wrk did not end with its figures, or its requests were refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where invocations go: a base URL and the path below it."""

    url: str
    path: str = "/invocations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a closed loop measured; latencies are those of the answers, in seconds."""

    rate_per_s: float
    p50_s: float
    p99_s: float


def load(place: Place, bodies: Sequence[tuple[str, bytes]], *, connections: int, duration_s: float) -> Closed:
    """Send bodies (content type, content) in turn over so many connections. Raises WrkFailed."""
    program, environment = peers.wrk()
    table = ",\n".join(f"{{{json.dumps(kind)}, [==[\n{body.decode()}]==]}}" for kind, body in bodies)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(f"path, bodies = {json.dumps(place.path)}, {{{table}}}\n{_SCRIPT}", encoding="utf-8")
        command = [program, "--threads=1", f"--connections={connections}", f"--duration={duration_s:g}s"]
        command += [f"--script={script}", "--timeout=5s", place.url]
        result = run(command, budget_s=duration_s + _GRACE_S, environment=environment)
    return read(result.stdout, result.returncode)


def read(told: str, exit_status: int) -> Closed:
    """Read what wrk's script printed. Raises WrkFailed where that is nothing, or where a request failed."""
    found = [line for line in told.splitlines() if line.startswith('{"requests"')]
    if not found:
        msg = f"wrk ended with exit status {exit_status}:\n{last_lines(told)}"
        raise WrkFailed(msg)
    counted = json.loads(found[0])
    if counted["errors"] or not counted["requests"]:
        msg = f"of {counted['requests']} requests {counted['errors']} failed"
        raise WrkFailed(msg)
    return Closed(
        rate_per_s=counted["requests"] / counted["duration_s"], p50_s=counted["p50_s"], p99_s=counted["p99_s"]
    )
