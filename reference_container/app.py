"""The container's HTTP surface: two routes, and an error in JSON for everything else."""

import math
import os
import time
from collections.abc import Sequence
from operator import sub, truediv
from typing import Any, Protocol

import orjson
from features import features
from flask import Flask, Response, g, request
from json_lines import write_failure
from model_client import ModelUnavailable
from negotiation import accepts_json, media_type
from validation import Breach, Columns, Malformed, Window, parse_csv, parse_json, validate
from werkzeug.exceptions import HTTPException

MODEL = {"name": "btc-next-second", "version": "1"}
BODY_LIMIT_BYTES = 1 << 20
# Bodies in memory at one moment, all connections together.
BODIES_LIMIT_BYTES = 64 << 20
BUDGET_S = 1.0
# What is left of the budget for writing the answer.
MARGIN_S = 0.1
JUMP = 0.05
RETRY_AFTER_S = "1"
REQUEST_ID_LONGEST = 128
_CHUNK_BYTES = 1 << 16
_NOT_READY = "the model is not ready"
_TOO_LATE = "the answer would come too late"
_TOO_MANY = "too many requests are being read"
_PARSERS = {"application/json": parse_json, "text/csv": parse_csv}


class Predictor(Protocol):
    """What the application needs of a model."""

    @property
    def ready(self) -> bool:
        """Whether a prediction can be made now."""

    def predict(self, numbers: Sequence[float], *, timeout_s: float) -> float:
        """Return the correction, as a share of the last close. Raises ModelUnavailable within `timeout_s`."""


class Refusal(Exception):  # noqa: N818 - named by what happened
    """An answer other than 2xx: status, code, message, dimension and headers."""

    def __init__(
        self, status: int, code: str, msg: str, *, dimension: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Keep what the answer will say."""
        super().__init__(msg)
        self.status, self.code, self.dimension, self.headers = status, code, dimension, headers or {}


class _Bodies:
    """How many bytes of bodies are in memory."""

    held_bytes = 0


def create_app(predictor: Predictor) -> Flask:
    """Return the application, answering with `predictor`."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.before_request(_name_request)
    app.after_request(_stamp)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(Exception, _failed)

    @app.get("/ping")
    def ping() -> Response:
        if not predictor.ready:
            raise _unavailable(_NOT_READY)
        return _json(200, {"status": "ready"})

    @app.post("/invocations")
    def invocations() -> Response:
        return _json(200, _invoke(predictor))

    return app


def _invoke(predictor: Predictor) -> dict[str, Any]:
    """Read, check and answer the request at hand."""
    parse = _PARSERS.get(media_type(request.headers.get("Content-Type", "")))
    if parse is None:
        raise Refusal(415, "unsupported_media_type", "send application/json or text/csv")
    if not accepts_json(request.headers.get("Accept", "")):
        raise Refusal(406, "not_acceptable", "the answer is application/json, which `Accept` excludes")
    body = _read_body()
    arrived_s = request.environ.get("request.last_byte_s", time.monotonic)()
    if not predictor.ready:
        raise _unavailable(_NOT_READY)
    try:
        window = validate(parse(body) if body else _empty())
    except Malformed as exc:
        raise Refusal(400, "malformed_body", str(exc)) from exc
    except Breach as exc:
        raise Refusal(422, "invalid_window", str(exc), dimension=exc.dimension) from exc
    return _answer(window, _correction(predictor, window, arrived_s + BUDGET_S - MARGIN_S))


def _empty() -> Columns:
    msg = "the body is empty"
    raise Malformed(msg)


def _correction(predictor: Predictor, window: Window, deadline_s: float) -> float:
    """Ask the model, no longer than until `deadline_s` on the monotonic clock."""
    numbers = features(highs=window.highs, lows=window.lows, closes=window.closes)
    timeout_s = deadline_s - time.monotonic()
    if timeout_s <= 0:
        raise _unavailable(_TOO_LATE)
    try:
        correction = predictor.predict(numbers, timeout_s=timeout_s)
    except ModelUnavailable as exc:
        raise _unavailable(str(exc)) from exc
    if not math.isfinite(correction):
        raise Refusal(500, "internal_error", "the model has no answer")
    return correction


def _answer(window: Window, correction: float) -> dict[str, Any]:
    prediction = window.closes[-1] * (1.0 + min(max(correction, -JUMP), JUMP))
    later, earlier = window.closes[1:], window.closes
    jump = max(map(truediv, map(abs, map(sub, later, earlier)), map(min, later, earlier)))
    anomalies = []
    if jump > JUMP:
        message = f"two consecutive closes differ by {jump:.1%}"
        anomalies.append({"code": "price_jump", "message": message})
    return {
        "prediction": prediction,
        "as_of": window.as_of,
        "horizon_s": 1,
        "model": MODEL,
        "anomalies": anomalies,
    }


def _read_body() -> bytes:
    """Read the body, BODY_LIMIT_BYTES at most. Raises Refusal."""
    announced = request.content_length or 0
    if announced > BODY_LIMIT_BYTES:
        raise _too_large()
    if _Bodies.held_bytes > BODIES_LIMIT_BYTES:
        raise _unavailable(_TOO_MANY)
    chunks: list[bytes] = []
    try:
        while chunk := _read_chunk():
            chunks.append(chunk)
            _Bodies.held_bytes += len(chunk)
            if sum(map(len, chunks)) > BODY_LIMIT_BYTES:
                raise _too_large()
    finally:
        _Bodies.held_bytes -= sum(map(len, chunks))
    body = b"".join(chunks)
    if len(body) < announced:
        raise Refusal(400, "malformed_body", "the body ends before its length", headers={"Connection": "close"})
    return body


def _read_chunk() -> bytes:
    try:
        return request.environ["wsgi.input"].read(_CHUNK_BYTES)
    except TimeoutError as exc:
        raise Refusal(
            408, "request_timeout", "the body did not arrive in time", headers={"Connection": "close"}
        ) from exc
    except OSError as exc:
        raise Refusal(400, "malformed_body", "the chunked body is broken", headers={"Connection": "close"}) from exc


def _too_large() -> Refusal:
    msg = f"the body may have {BODY_LIMIT_BYTES} bytes"
    return Refusal(413, "body_too_large", msg, headers={"Connection": "close"})


def _unavailable(msg: str) -> Refusal:
    return Refusal(503, "unavailable", msg, headers={"Retry-After": RETRY_AFTER_S})


def _name_request() -> None:
    sent = request.headers.get("X-Request-Id", "")
    fit = 0 < len(sent) <= REQUEST_ID_LONGEST and sent.isascii() and sent.isprintable()
    g.request_id = sent if fit else os.urandom(16).hex()
    if request.environ["PATH_INFO"].startswith("//"):
        raise Refusal(404, "not_found", "not found")  # The router would take it for one slash.


def _stamp(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    return response


def _json(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status=status, headers=headers, mimetype="application/json")


def _error(
    status: int, code: str, msg: str, *, dimension: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    return _json(status, {"error": {"code": code, "dimension": dimension, "message": msg}}, headers)


def _refused(refusal: Refusal) -> Response:
    return _error(refusal.status, refusal.code, str(refusal), dimension=refusal.dimension, headers=refusal.headers)


def _http_error(error: HTTPException) -> Response:
    """Answer what the router refuses, with its `Allow` kept."""
    status = error.code or 500
    name = error.name.lower()
    headers = {key: value for key, value in error.get_headers() if key == "Allow"}
    return _error(status, name.replace(" ", "_"), name, headers=headers)


def _failed(mistake: Exception) -> Response:
    """Answer a mistake of our own; the log has the details, the answer does not."""
    write_failure(mistake)
    return _error(500, "internal_error", "the request could not be answered")
