"""The server's worker: every connection is a greenlet with deadlines, and all of them are answered before it ends."""

import gc
import resource
import socket
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import gevent
import orjson
from connection import Connection, Phase
from gunicorn.http import errors, wsgi
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.workers.ggevent import GeventWorker
from json_lines import Lines, write_failure

CONNECTIONS_MOST = 4_000
DESCRIPTORS_KEPT = 64
TICK_S = 0.05
# How long a connection may wait for its first byte once we are to stop: the byte may be on its way.
FIRST_BYTE_S = 0.3
READ_S = 10.0
DRAIN_S = 2.0
DRAIN_BYTES = 1 << 21
STOP_S = 20.0
PATH_LONGEST = 128
# A request makes some 100 objects that the collector counts, and leaves hardly a cycle.
GC_THRESHOLDS = (20_000, 20, 20)

# What the server itself refuses; anything else that is no request is a 400.
_STATUSES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.InvalidHTTPVersion, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (TimeoutError, HTTPStatus.REQUEST_TIMEOUT),
)


class BodyReader:
    """A request's body, whose every defect is an OSError."""

    def __init__(self, request: Request) -> None:
        self._body = request.body

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes. Raises TimeoutError, or OSError for a body that is not well-formed."""
        try:
            return self._body.read(size)
        except errors.ParseException as exc:
            raise OSError(str(exc)) from exc


class ConnectionWorker(GeventWorker):
    """Accepts, reads under deadlines, hands over to the application, logs, and stops without losing a request."""

    def run(self) -> None:
        """Serve until told to stop, then answer what has begun."""
        self.open: dict[Connection, None] = {}
        self.log_lines = Lines()
        self.most = min(CONNECTIONS_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - DESCRIPTORS_KEPT)
        (listener,) = self.sockets
        listener.settimeout(None)
        _spare_the_collector()
        acceptor = gevent.spawn(self._accept, listener)
        while self.alive:
            self._tick()
        acceptor.kill()
        self._accept_what_waits(listener)
        listener.close()
        self._finish()
        self.log_lines.write()

    def _tick(self) -> None:
        """Tell the master that we live, write what was logged, and let the connections have their turn."""
        self.notify()
        self.log_lines.write()
        gevent.sleep(TICK_S)

    def handle_abort(self, sig: int, frame: object) -> None:
        """Ignore the master's first warning: after a pause of the container it comes before we could report.

        A worker that is stuck does not report after it either, and then is killed.
        """

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, peer = listener.accept()
            except OSError:
                self._make_room()
                gevent.sleep(TICK_S)
            else:
                self._welcome(listener, client, peer)

    def _accept_what_waits(self, listener: socket.socket) -> None:
        """Take in the connections that the kernel had accepted before we were told to stop."""
        listener.settimeout(0.0)
        while True:
            try:
                client, peer = listener.accept()
            except OSError:
                return
            self._welcome(listener, client, peer)

    def _welcome(self, listener: socket.socket, client: socket.socket, peer: tuple[str, int]) -> None:
        if len(self.open) >= self.most:
            self._make_room()
        gevent.spawn(self.handle, listener, client, peer)

    def _make_room(self) -> None:
        """Give up the oldest connection that has not sent a whole request."""
        for connection in self.open:
            if connection.phase in (Phase.IDLE, Phase.READING):
                connection.give_up()
                return

    def _finish(self) -> None:
        """Wait for the connections at work; those that have sent nothing are closed after a moment."""
        began_s = time.monotonic()
        while any(connection.phase is not Phase.LINGERING for connection in self.open):
            self._tick()
            waited_s = time.monotonic() - began_s
            if waited_s > STOP_S:
                return
            if waited_s > FIRST_BYTE_S:
                self._give_up_idle()

    def _give_up_idle(self) -> None:
        for connection in self.open:
            if connection.phase is Phase.IDLE:
                connection.give_up()

    def handle(self, listener: socket.socket, client: socket.socket, addr: tuple[str, int]) -> None:
        """Converse with one client until either side closes."""
        connection = Connection(client)
        self.open[connection] = None
        try:
            self._converse(RequestParser(self.cfg, connection, addr), connection, listener.getsockname(), addr)
        except OSError:
            pass  # The client is gone.
        except Exception as exc:  # noqa: BLE001 - one connection's mishap is not the others'
            write_failure(exc)
        finally:
            del self.open[connection]
            connection.close()

    def _converse(self, parser: RequestParser, connection: Connection, *addresses: Any) -> None:  # noqa: ANN401
        while connection.begin(parser.unreader, idle_s=self.cfg.keepalive, read_s=READ_S):
            if not self._exchange(parser, connection, *addresses):
                connection.linger()
                return
            gevent.sleep(0)  # The others' turn: a client that sends many requests at once must not hold them up.

    def _exchange(self, parser: RequestParser, connection: Connection, *addresses: Any) -> bool:  # noqa: ANN401
        """Read and answer one request; return whether another may follow."""
        try:
            request = next(parser)
            _check_host(request)
        except (StopIteration, errors.NoMoreData):
            return False
        except (errors.ParseException, TimeoutError) as exc:
            self._log(connection, "", "", *_refuse(connection, exc))
            return False
        if not self._respond(request, connection, *addresses):
            return False
        connection.allow(DRAIN_S)
        return parser.finish_body(max_bytes=DRAIN_BYTES)

    def _respond(
        self, request: Request, connection: Connection, server: tuple[str, int], peer: tuple[str, int]
    ) -> bool:
        """Run the application for one request, log it, and return whether the connection stays open."""
        response, environ = wsgi.create(request, connection, peer, server, self.cfg)
        response.version = "inference"
        environ["wsgi.input"] = BodyReader(request)
        environ["request.last_byte_s"] = lambda: connection.last_byte_s
        sent: dict[str, str] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:  # noqa: ANN401
            sent.update(headers)
            if sent.get("Connection") == "close" or not self.alive:
                response.force_close()
            return response.start_response(status, headers, exc_info)

        connection.phase = Phase.ANSWERING
        connection.sendall(_written(response, self.wsgi(environ, start)))
        self._log(connection, request.method, request.path, response.status_code, sent.get("X-Request-Id", ""))
        return not response.should_close()

    def _log(self, connection: Connection, method: str, path: str, status: int, request_id: str) -> None:
        self.log_lines.add(
            event="request",
            method=method,
            path=path[:PATH_LONGEST],
            status=status,
            duration_ms=round((time.monotonic() - connection.first_byte_s) * 1000, 3),
            request_id=request_id,
            bytes_in=connection.bytes_in,
        )


def _spare_the_collector() -> None:
    """Let the garbage collector look at what requests leave behind alone, and not during most of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


class _Parts(list[bytes]):
    """Takes an answer's parts in a socket's place, so that they leave together: each sending is a system call."""

    def sendall(self, part: bytes) -> None:
        """Keep a part."""
        self.append(part)


def _written(response: wsgi.Response, body: Iterator[bytes]) -> bytes:
    """Return an answer as it goes over the wire."""
    response.sock = parts = _Parts()
    try:
        for part in body:
            response.write(part)
        response.close()
    finally:
        if hasattr(body, "close"):
            body.close()
    return b"".join(parts)


def _check_host(request: Request) -> None:
    """HTTP/1.1 wants exactly one host; two are refused while reading. Raises InvalidHeader."""
    named = "HOST" in dict(request.headers)
    if request.version >= (1, 1) and not named:
        name = "HOST"
        raise errors.InvalidHeader(name, req=request)


def _refuse(connection: Connection, exc: Exception) -> tuple[int, str]:
    """Answer what is no request that the application could see, as its errors are; return status and request id."""
    status = next((status for kind, status in _STATUSES if isinstance(exc, kind)), HTTPStatus.BAD_REQUEST)
    message = status.phrase.lower()
    error = {"code": message.replace(" ", "_"), "dimension": None, "message": message}
    body = orjson.dumps({"error": error})
    request_id = connection.new_id()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nServer: inference\r\nConnection: close\r\n"
        f"X-Request-Id: {request_id}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return status.value, request_id
