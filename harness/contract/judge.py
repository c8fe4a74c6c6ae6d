"""Judge an answer: which rules of the contract does it break? Pure, from the record alone."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.contract.difference import Example
    from harness.contract.profile import Prediction, Profile, WindowRule
    from harness.contract.records import Window

OK, UNPROCESSABLE, UNAVAILABLE = 200, 422, 503
_SHOWN_BYTES = 300
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^+-]+\+)?json")

# What gives an implementation away: tracebacks, places in a file system, names of common serving libraries. What a
# good message may use is no such thing: `ValidationError` as a code, "line 1 column 9", the path that was asked for.
_TELL_TALES = (
    re.compile(
        r"traceback|stack ?trace|\bFile \"[^\"]+\", line \d+|\bat 0x[0-9a-f]{6,}|\bthread '[\w-]+' panicked",
        re.IGNORECASE,
    ),
    re.compile(r"\bgoroutine \d+ \[|\bpanic: |\n\s*at [\w.$<>]+ ?\(|\bat Object\.<anonymous>|\bnode:internal/"),
    re.compile(
        r"(?:^|[\s\"'(=])(?:file://)?/(?:usr|opt|home|app|srv|var|root|tmp|etc|proc|lib|lib64|mnt|code|workspace|models?)/[\w.-]+"
    ),
    re.compile(r"\b[A-Z]:\\\w+|(?:site|dist)-packages|node_modules"),
    re.compile(r"\b[\w-]+\.(?:py|pyc|so|java|rb|cc|cpp)\b|\b[\w-]+\.(?:js|mjs|ts|go|rs|cs|kt|php):\d+", re.IGNORECASE),
    re.compile(
        r"\b(?:flask|werkzeug|gunicorn|django|fastapi|starlette|uvicorn|tornado|aiohttp|tensorflow|keras|pytorch|torch|"
        r"numpy|pandas|pydantic|marshmallow|jsonschema|orjson|simplejson|msgspec|sklearn|scikit-learn|xgboost|mlflow|"
        r"onnxruntime|lightgbm|catboost|springframework|fasterxml)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:javax?|jakarta|kotlin)\.[a-z]\w*\.\w+|\b\w+Exception: "),
    re.compile(
        r"\b(?:Key|Value|Type|Attribute|Index|Unicode\w*|Recursion|Overflow|Assertion|Runtime|Syntax|JSONDecode)Error\b"
        r" ?[:(]"
    ),
)


class Answered(Protocol):
    """An answer, as far as judging needs it."""

    @property
    def status(self) -> int:
        """HTTP's status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""

    @property
    def body(self) -> bytes:
        """The body as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule: what the contract promises here, and what came."""

    rule: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.rule}: expected {self.expected}; got {self.actual}"


class Violated(AssertionError):  # noqa: N818 - named by what happened
    """The sut broke rules; `exchange` prints the line that repeats the request, `example` is the window in it."""

    def __init__(
        self, violations: Sequence[Violation], exchange: object = None, example: Example | None = None
    ) -> None:
        """Keep what was found, for the report."""
        repeat = getattr(exchange, "curl", None)
        lines = [str(violation) for violation in violations] + ([f"again: {repeat}"] if repeat else [])
        super().__init__("\n".join(lines))
        self.violations = tuple(violations)
        self.exchange = exchange
        self.example = example


def demand(violations: Sequence[Violation], exchange: object = None, example: Example | None = None) -> None:
    """Raise `Violated` where there is any violation."""
    if violations:
        raise Violated(violations, exchange, example)


def shown(answer: Answered) -> str:
    """Say what an answer was, in one line."""
    text = answer.body[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return f"{answer.status} {text!r}{'...' if len(answer.body) > _SHOWN_BYTES else ''}"


def prediction_of(answer: Answered) -> float | None:
    """Return the prediction of an answer, or None where it has none."""
    value: object = (_json_object(answer) or {}).get("prediction")
    return value if _is_number(value) and math.isfinite(value) else None


def dimension_of(answer: Answered) -> str | None:
    """Return the dimension that a refusal names, or None where it names none."""
    error = (_json_object(answer) or {}).get("error")
    return error.get("dimension") if isinstance(error, dict) else None


def judge_prediction(window: Window, answer: Answered, profile: Profile) -> list[Violation]:
    """Judge the answer to a good window: it must be 200 and keep R1, P0, P1, P3 and P5."""
    if answer.status != OK:
        return [Violation(rule="R1", expected="200 to a good window", actual=shown(answer))]
    found = _json_object(answer)
    broken = _shape(found, window, profile)
    if broken or found is None:
        return [Violation(rule="P0", expected=why, actual=shown(answer)) for why in broken]
    return [*_price(found["prediction"], answer), *_near(found, moves_of(window, profile.window), profile, answer)]


def judge_refusal(
    answer: Answered, *, rule: str, status: Collection[int], dimensions: Collection[str] = (), sent: str = ""
) -> list[Violation]:
    """Judge a refusal: the status that the rule promises, a dimension that it allows, and an error body (C10)."""
    if answer.status not in status:
        wanted = " or ".join(str(number) for number in sorted(status))
        return [Violation(rule=rule, expected=f"status {wanted}", actual=shown(answer))]
    broken = judge_error_body(answer, sent=sent)
    if not broken and dimensions:
        named = json.loads(answer.body)["error"]["dimension"]
        if named not in dimensions:
            wanted = " or ".join(repr(name) for name in sorted(dimensions))
            broken.append(Violation(rule=rule, expected=f"`error.dimension` {wanted}", actual=shown(answer)))
    return broken


def judge_error_body(answer: Answered, *, sent: str = "") -> list[Violation]:
    """Judge the body of a non-2xx answer against C10: the error object, and nothing that gives the inside away.

    What was `sent` may be quoted: it gives away nothing.
    """
    error = (_json_object(answer) or {}).get("error")
    if not _is_error(error) or not _is_json_type(answer):
        wanted = 'JSON `{"error": {"code": str, "dimension": str or null, "message": str}}`'
        kind = answer.headers.get("content-type")
        return [Violation(rule="C10", expected=wanted, actual=f"{shown(answer)} as {kind!r}")]
    text = "\n".join(_texts(json.loads(answer.body)))
    if sent:
        text = text.replace(sent, "")
    return [
        Violation(rule="C10", expected="no traceback, file path or library name", actual=f"{match[0]!r} in {text!r}")
        for pattern in _TELL_TALES
        if (match := pattern.search(text))
    ]


def _texts(found: object) -> list[str]:
    """Return every string of a JSON value, the names of its objects among them."""
    if isinstance(found, dict):
        return [text for name, value in found.items() for text in (name, *_texts(value))]
    if isinstance(found, list):
        return [text for value in found for text in _texts(value)]
    return [found] if isinstance(found, str) else []


def judge_same(first: Answered, second: Answered, profile: Profile, *, what: str) -> list[Violation]:
    """Judge two answers to one window against P2; `what` says what differed between the requests."""
    before, after = prediction_of(first), prediction_of(second)
    if before is not None and after is not None and is_same(before, after, profile.prediction):
        return []
    return [Violation(rule="P2", expected=f"the same prediction {what}: {before}", actual=f"{after}: {shown(second)}")]


def is_same(first: float, second: float, promise: Prediction) -> bool:
    """Whether two predictions are the same within the profile's relative tolerance."""
    return math.isclose(first, second, rel_tol=promise.same_tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """How far prices move in a window, as shares: `between_closes` by the smaller reading, `at_most` by the larger.

    A share can be taken of the price before or of the price after; the contract does not say which, so a promise binds
    only where both readings agree. `at_most` looks at every price within a second, and at the close before it.
    """

    between_closes: float
    at_most: float
    last: float


def moves_of(window: Window, rule: WindowRule) -> Moves:
    """Return how far the prices of a good window move."""
    close = rule.target
    closes = [float(str(record[close])) for record in window.records]
    steps = [abs(after - before) / max(after, before) for before, after in pairwise(closes)]
    names, spans = rule.prices, []
    for before, record in zip([None, *closes], window.records, strict=False):
        prices = [float(str(record[name])) for name in names] + ([before] if before is not None else [])
        spans.append(max(prices) / min(prices) - 1)
    return Moves(between_closes=max(steps, default=0.0), at_most=max(spans), last=closes[-1])


def _shape(found: dict[str, Any] | None, window: Window, profile: Profile) -> list[str]:
    if found is None:
        return ["a JSON object"]
    newest = window.newest(profile.window.named("end"))
    model, anomalies = found.get("model"), found.get("anomalies")
    demands = {
        "`prediction` a number": _is_number(found.get("prediction")),
        f"`as_of` {newest!r}": found.get("as_of") == newest,
        f"`horizon_s` {profile.prediction.horizon_s:g}": _is_number(found.get("horizon_s"))
        and found["horizon_s"] == profile.prediction.horizon_s,
        "`model` with `name` and `version`, both strings": isinstance(model, dict)
        and all(isinstance(model.get(key), str) for key in ("name", "version")),
        "`anomalies` a list of `code` and `message`": isinstance(anomalies, list)
        and all(_is_anomaly(item) for item in anomalies),
    }
    return [demand for demand, is_met in demands.items() if not is_met]


def _price(value: float, answer: Answered) -> list[Violation]:
    if math.isfinite(value) and value > 0:
        return []
    return [Violation(rule="P1", expected="a finite positive prediction", actual=shown(answer))]


def _near(found: dict[str, Any], moves: Moves, profile: Profile, answer: Answered) -> list[Violation]:
    promise, move, last = profile.prediction, moves.between_closes, moves.last
    if moves.at_most <= promise.quiet_move:
        rule, tolerance = "P3", promise.quiet_tolerance
        flagged = [Violation(rule="P5", expected="no anomalies in a quiet window", actual=shown(answer))]
        broken = flagged if found["anomalies"] else []
    elif move > promise.jump_move:
        rule, tolerance = "P5", promise.jump_tolerance
        quiet = [Violation(rule="P5", expected=f"an anomaly for a move of {move:.1%}", actual=shown(answer))]
        broken = [] if found["anomalies"] else quiet
    else:
        return []
    if not abs(found["prediction"] - last) <= tolerance * last:
        wanted = f"a prediction within {tolerance:.0%} of the last close {last:g}"
        broken = [*broken, Violation(rule=rule, expected=wanted, actual=shown(answer))]
    return broken


def _json_object(answer: Answered) -> dict[str, Any] | None:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_json_type(answer: Answered) -> bool:
    """Whether an error says that it is JSON: by its own name, or by that of a format made of it (RFC 6839)."""
    return _JSON_TYPE.fullmatch(answer.headers.get("content-type", "").partition(";")[0].strip().lower()) is not None


def _is_error(error: object) -> bool:
    return (
        isinstance(error, dict)
        and isinstance(error.get("code"), str)
        and isinstance(error.get("message"), str)
        and "dimension" in error
        and (error["dimension"] is None or isinstance(error["dimension"], str))
    )


def _is_anomaly(item: object) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(key), str) for key in ("code", "message"))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
