"""Judge an answer: which rules of the contract does it break? Pure, from the record alone."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from harness.contract.answer_path import at_path

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.contract.difference import Example
    from harness.contract.profile import Prediction, Profile, Refusals, WindowRule
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


def json_of(answer: Answered) -> object:
    """Return what a body says as JSON; None where it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def prediction_of(answer: Answered, profile: Profile) -> float | None:
    """Return the prediction of an answer, or None where it has none."""
    value = at_path(json_of(answer), profile.answer.prediction)
    return value if _is_number(value) and math.isfinite(value) else None


def dimension_of(answer: Answered) -> str | None:
    """Return the dimension that a refusal names, or None where it names none."""
    error = (_json_object(answer) or {}).get("error")
    return error.get("dimension") if isinstance(error, dict) else None


def judge_prediction(window: Window, answer: Answered, profile: Profile) -> list[Violation]:
    """Judge the answer to a good window: it must be 200 and keep R1, P0, P1, P3 and P5."""
    if answer.status != OK:
        return [Violation(rule="R1", expected="200 to a good window", actual=shown(answer))]
    found = json_of(answer)
    broken = _shape(found, window, profile)
    if broken:
        return [Violation(rule="P0", expected=why, actual=shown(answer)) for why in broken]
    return [
        *_price(prediction_of(answer, profile), answer),
        *_near(found, moves_of(window, profile.window), profile, answer),
    ]


def judge_refusal(
    answer: Answered,
    promise: Refusals,
    *,
    rule: str,
    status: Collection[int],
    dimensions: Collection[str] = (),
    sent: str = "",
) -> list[Violation]:
    """Judge a refusal: the status that the rule promises, a dimension that it allows, and an error body (C10).

    `status` is the default profile's; another profile may promise others in its place.
    """
    promised = {other for number in status for other in promise.instead_of(number)}
    if answer.status not in promised:
        wanted = " or ".join(str(number) for number in sorted(promised))
        return [Violation(rule=rule, expected=f"status {wanted}", actual=shown(answer))]
    broken = judge_error_body(answer, promise, sent=sent)
    if not broken and dimensions and promise.dimension:
        named = json.loads(answer.body)["error"]["dimension"]
        if named not in dimensions:
            wanted = " or ".join(repr(name) for name in sorted(dimensions))
            broken.append(Violation(rule=rule, expected=f"`error.dimension` {wanted}", actual=shown(answer)))
    return broken


def judge_error_body(answer: Answered, promise: Refusals, *, sent: str = "") -> list[Violation]:
    """Judge the body of a non-2xx answer against C10: what it promises, and nothing that gives the inside away.

    What was `sent` may be quoted: it gives away nothing.
    """
    wanted = _wanted(answer, promise)
    if wanted:
        kind = answer.headers.get("content-type")
        return [Violation(rule="C10", expected=wanted, actual=f"{shown(answer)} as {kind!r}")]
    found = json_of(answer)
    text = answer.body.decode("utf-8", "replace") if found is None else "\n".join(_texts(found))
    if sent:
        text = text.replace(sent, "")
    return [
        Violation(rule="C10", expected="no traceback, file path or library name", actual=f"{match[0]!r} in {text!r}")
        for pattern in _TELL_TALES
        if (match := pattern.search(text))
    ]


def _wanted(answer: Answered, promise: Refusals) -> str:
    """Return what the body of a refusal should have been; empty where it is."""
    found = json_of(answer)
    if promise.body == "error" and not (_is_error(at_path(found, "error")) and _is_json_type(answer)):
        return 'JSON `{"error": {"code": str, "dimension": str or null, "message": str}}`'
    return "JSON" if promise.body == "json" and not (found is not None and _is_json_type(answer)) else ""


def _texts(found: object) -> list[str]:
    """Return every string of a JSON value, the names of its objects among them."""
    if isinstance(found, dict):
        return [text for name, value in found.items() for text in (name, *_texts(value))]
    if isinstance(found, list):
        return [text for value in found for text in _texts(value)]
    return [found] if isinstance(found, str) else []


def judge_same(first: Answered, second: Answered, profile: Profile, *, what: str) -> list[Violation]:
    """Judge two answers to one window against P2; `what` says what differed between the requests."""
    before, after = (prediction_of(answer, profile) for answer in (first, second))
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
    closes = [_number(record[close]) for record in window.records]
    steps = [abs(after - before) / max(after, before) for before, after in pairwise(closes)]
    names = rule.prices
    # The first second has no close before it: its own changes no span.
    spans = [
        max(before, *prices) / min(before, *prices) - 1
        for before, record in zip([closes[0], *closes], window.records, strict=False)
        if (prices := [_number(record[name]) for name in names])
    ]
    return Moves(between_closes=max(steps, default=0.0), at_most=max(spans), last=closes[-1])


def _number(value: object) -> float:
    return value if isinstance(value, float) else float(str(value))


def _shape(found: object, window: Window, profile: Profile) -> list[str]:
    """Return what an answer lacks of what is promised."""
    newest, where = window.newest(profile.window.named("end")), profile.answer
    demands = (
        (where.prediction, "a number", _is_number),
        (where.as_of, f"{newest!r}", lambda value: value == newest),
        (where.horizon, f"{profile.prediction.horizon_s:g}", lambda value: _is(value, profile.prediction.horizon_s)),
        (where.model, "with `name` and `version`, both strings", _is_model),
        (where.anomalies, "a list of `code` and `message`", _is_anomalies),
    )
    return [f"`{path}` {says}" for path, says, is_met in demands if path and not is_met(at_path(found, path))]


def _is(value: object, number: float) -> bool:
    return _is_number(value) and value == number


def _is_model(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("name", "version"))


def _is_anomalies(value: object) -> bool:
    return isinstance(value, list) and all(_is_anomaly(item) for item in value)


def _price(value: float | None, answer: Answered) -> list[Violation]:
    if value is not None and value > 0:
        return []
    return [Violation(rule="P1", expected="a finite positive prediction", actual=shown(answer))]


def _near(found: object, moves: Moves, profile: Profile, answer: Answered) -> list[Violation]:
    promise, move, last = profile.prediction, moves.between_closes, moves.last
    if moves.at_most <= promise.quiet_move:
        rule, tolerance, flags, flagged = "P3", promise.quiet_tolerance, False, "no anomalies in a quiet window"
    elif move > promise.jump_move:
        rule, tolerance, flags, flagged = "P5", promise.jump_tolerance, True, f"an anomaly for a move of {move:.1%}"
    else:
        return []
    anomalies = profile.answer.anomalies
    is_flagged = bool(at_path(found, anomalies))
    broken = [Violation(rule="P5", expected=flagged, actual=shown(answer))] if anomalies and is_flagged != flags else []
    predicted = prediction_of(answer, profile)
    if predicted is None or not abs(predicted - last) <= tolerance * last:
        wanted = f"a prediction within {tolerance:.0%} of the last close {last:g}"
        broken = [*broken, Violation(rule=rule, expected=wanted, actual=shown(answer))]
    return broken


def _json_object(answer: Answered) -> dict[str, Any] | None:
    found = json_of(answer)
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
