"""Asks a server of which nothing is known: any route, any body; no answer is an answer too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.system.client import Client, NoAnswer, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract.profile import Profile
    from harness.system.client import Answer

_PATIENCE_S = 10.0


class Asker:
    """Asks one server over kept-alive connections."""

    def __init__(self, url: str, profile: Profile) -> None:
        """Take the base URL; of the profile only its budgets count."""
        self.url = url.rstrip("/")
        self._client = Client(url, profile)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | None:
        """Return the answer, or None where no whole one comes; a `kind` of None sends no Content-Type."""
        request = Request(method=method, path=path, headers={"Content-Type": kind, **(headers or {})}, body=body)
        try:
            return self._client.send(request, timeout_s=_PATIENCE_S).answer
        except NoAnswer:
            return None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
