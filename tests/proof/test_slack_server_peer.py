"""Our Slack-like server answers as an independent emulator from PyPI does, wherever that one has an opinion."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.alerts.slack import SlackDoor
from harness.alerts.slack_server import Channel, SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.alerts.reply import Reply

pytestmark = pytest.mark.proof

PEER = "backlot==0.1.0"
ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".cache" / "backlot"
CHANNEL = "general"
QUIET = {"BACKLOT_TELEMETRY": "0", "DO_NOT_TRACK": "1"}
SERVE = """
import backlot, json, sys
with backlot.serve() as served:
    print(json.dumps({"url": f"{served.base_url}/slack/api/", "token": served.token}), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def peer() -> Iterator[dict[str, str]]:
    """Give the emulator's address and token; it lives in an environment of its own, as it brings 17 packages."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        venv.create(PLACE, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", PEER]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"{PEER} cannot be installed: {installed.stderr[-300:]}")
    environment = {**os.environ, **QUIET}
    with subprocess.Popen(
        [str(python), "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as served:
        assert served.stdout is not None
        yield json.loads(served.stdout.readline())
        assert served.stdin is not None
        served.stdin.close()


class Script:
    """The same calls to either server; `said` is what came of each."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._door = SlackDoor(token, base_url=url)
        self.said: dict[str, Any] = {}

    def call(self, what: str, method: str, **arguments: Any) -> Reply:  # noqa: ANN401 - Slack's own
        """Call a method and note the outcome under a name."""
        reply = self._door.call(method, arguments, timeout_s=10)
        self.said[what] = (reply.kind, reply.error)
        return reply

    def run(self) -> dict[str, Any]:
        """Post, change, answer, look, and do each wrong."""
        listed = self.call("list", "conversations.list", limit=200).body["channels"]
        channel = next(found["id"] for found in listed if found["name"] == CHANNEL)
        by_name = self.call("post by name", "chat.postMessage", channel=CHANNEL, text="one")
        self.said["a post by name gives the ID"] = by_name.body["channel"] == channel
        ts = self.call("post by ID", "chat.postMessage", channel=channel, text="two").body["ts"]
        self.call("update", "chat.update", channel=channel, ts=ts, text="three")
        self.call("update by name", "chat.update", channel=CHANNEL, ts=ts, text="x")
        self.call("update of nothing", "chat.update", channel=channel, ts="1795575352.000001", text="x")
        self.call("update without text", "chat.update", channel=channel, ts=ts)
        line = self.call("line", "chat.postMessage", channel=channel, text="four", thread_ts=ts).body["ts"]
        history = self.call("history", "conversations.history", channel=channel, limit=9).body["messages"]
        times = [message["ts"] for message in history]
        self.said["history is newest first, without lines"] = (times[0] == ts, line in times)
        self.said["history shows the change"] = history[0]["text"]
        replies = self.call("replies", "conversations.replies", channel=channel, ts=ts).body["messages"]
        self.said["replies are the message, then its lines"] = [message["text"] for message in replies]
        self.call("replies to nothing", "conversations.replies", channel=channel, ts="1795575352.000001")
        self.call("history by name", "conversations.history", channel=CHANNEL)
        self.call("nowhere", "chat.postMessage", channel="nowhere", text="x")
        self.call("no text", "chat.postMessage", channel=channel)
        self._door = SlackDoor("xoxb-another", base_url=self._url)
        self.call("another token", "chat.postMessage", channel=channel, text="x")
        return self.said


def test_both_servers_answer_alike(peer: dict[str, str]) -> None:
    with SlackServer(Channel(id="C0000000001", name=CHANNEL)) as ours:
        assert Script(ours.base_url, "xoxb-test").run() == Script(peer["url"], peer["token"]).run()


def test_ours_enforces_what_the_other_lets_pass(peer: dict[str, str]) -> None:
    """Slack's limits, metadata and the rate: the reason why the project has a server of its own."""
    wrong: dict[str, dict[str, Any]] = {
        "51 blocks": {"text": "x", "blocks": [{"type": "divider"}] * 51},
        "a long section": {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]},
    }
    found = {}
    with SlackServer(Channel(id="C0000000001", name=CHANNEL)) as ours:
        for name, url, token in (("ours", ours.base_url, "xoxb-test"), ("peer", peer["url"], peer["token"])):
            door = SlackDoor(token, base_url=url)
            calls = [
                door.call("chat.postMessage", {"channel": CHANNEL, **post}, timeout_s=10) for post in wrong.values()
            ]
            found[name] = [reply.kind for reply in calls]
    assert found == {"ours": ["rejected", "rejected"], "peer": ["ok", "ok"]}
