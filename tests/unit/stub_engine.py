"""A Docker engine that answers what it is told to, in this process, in the place of Docker."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OK, _NOT_FOUND = 200, 404
_VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"}
_INFO = {
    "ServerVersion": "20.10.0",
    "CgroupVersion": "2",
    "Architecture": "x86_64",
    "DockerRootDir": "/nowhere",
    "NCPU": 2,
    "MemTotal": 1,
}


@contextmanager
def answering(answers: Mapping[str, object]) -> Iterator[str]:
    """Serve, and give the address for DOCKER_HOST: answers by the path's end, and 404 with a message to all else."""
    known = {"/version": _VERSION, "/info": _INFO, "/containers/json": [], "/images/json": [], **answers}

    class Door(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path = urlsplit(self.path).path
            found = next((answer for end, answer in known.items() if path.endswith(end)), None)
            body = json.dumps({"message": "no such host"} if found is None else found).encode()
            self.send_response(_NOT_FOUND if found is None else _OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
