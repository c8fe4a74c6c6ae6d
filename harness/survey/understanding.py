"""How to ask for a prediction: route by route, each way to write a window is tried until one is understood."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.audit.model.jump import jump
from harness.contract.answer_path import at_path
from harness.contract.judge import OK, json_of
from harness.contract.levels import series_in
from harness.contract.records import Window, build, content_type, encode, last_whole_second_ns
from harness.contract.window_rule import OF_TIMES, UNNAMED
from harness.survey.reading import Grip, Sample, anomalies_in, as_of_in, horizon_in, model_in, prediction_in
from harness.survey.spellings import as_csv, as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.contract.window_rule import WindowRule
    from harness.survey.asker import Asker
    from harness.survey.findings import Findings
    from harness.survey.routes import Route
    from harness.system.client import Answer

# So far apart that no prediction of the one is near the other: told in the default profile's levels.
LEVELS = (300.0, 300_000.0)
_JUMP_TIMES = 2.0
_SAID = {
    "records": "a list of objects under `{}`",
    "split": "`columns` and `data` under `{}`",
    "rows": "a list of lists under `{}`",
    "columns": "an object of lists under `{}`",
    "v2": "tensors of the Open Inference Protocol under `{}`",
    "tensor": "one tensor of the Open Inference Protocol under `{}`",
}
_CERTAIN = {
    Grip.FOLLOWS: "the number that follows the last close",
    Grip.CHANGES: "a number that changes with the window, but is not near its last close",
    Grip.IS_THERE: "the only thing like a prediction, and it was the same for two windows far apart",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """One way to ask that is answered with a number: where, how the window is written, and what was answered."""

    route: Route
    rule: WindowRule
    samples: tuple[Sample, ...]
    path: str
    grip: Grip


def understand(asker: Asker, routes: Iterable[Route], findings: Findings) -> bool:
    """Find the route, the codecs and the prediction's place in the answer, and return whether there are such."""
    profile = findings.profile
    tried: list[Understood] = []
    for route in routes:
        tried += _on(asker, route, profile)
        if any(one.grip is Grip.FOLLOWS for one in tried):
            break
    if not tried:
        return False
    grip = min(one.grip for one in tried)
    best = next(one for one in tried if one.grip == grip)
    same = [one for one in tried if one.route == best.route and one.grip == grip and one.path == best.path]
    _keep(best, {one.rule.codecs[0]: one.rule for one in reversed(same)}, findings)
    _read(asker, best, findings)
    return True


def window_at(profile: Profile, level: float) -> Window:
    """Return a good quiet window that ends now, at a level as the default profile's prices have it."""
    return _built(profile, _series(profile, level))


def send(asker: Asker, path: str, rule: WindowRule, window: Window) -> Answer | None:
    """Send a window to a route, written as a rule says."""
    codec = rule.codecs[0]
    return asker.ask("POST", path, body=encode(rule, window, codec), kind=content_type(rule, codec))


def _on(asker: Asker, route: Route, profile: Profile) -> list[Understood]:
    """Return the first way to write JSON that is understood on a route, and the first to send CSV."""
    ways = (as_json(route, profile.window), as_csv(route, profile.window))
    found = [_first_understood(asker, route, way, profile) for way in ways]
    return [one for one in found if one is not None]


def _first_understood(asker: Asker, route: Route, rules: Iterable[WindowRule], profile: Profile) -> Understood | None:
    least_sure: list[Understood] = []
    for rule in rules:
        one = _try(asker, route, rule, profile)
        if one is not None and one.grip is Grip.FOLLOWS:
            return one
        least_sure += [one] if one is not None else []
    return min(least_sure, key=lambda one: one.grip, default=None)


def _try(asker: Asker, route: Route, rule: WindowRule, profile: Profile) -> Understood | None:
    samples = []
    for level in LEVELS:
        window = window_at(profile, level)
        answer = send(asker, route.path, rule, window)
        if answer is None or answer.status != OK:
            return None
        samples.append(Sample(window=window, found=json_of(answer)))
    found = prediction_in(samples, rule)
    if found is None:
        return None
    path, grip = found
    return Understood(route=route, rule=rule, samples=tuple(samples), path=path, grip=grip)


def _keep(best: Understood, by_codec: dict[str, WindowRule], findings: Findings) -> None:
    """Write route and codecs into the profile."""
    findings.is_understood = True
    findings.find("http.invocations_path", best.route.path, "a window was answered there")
    codecs = tuple(codec for codec in ("json", "csv") if codec in by_codec)
    taken = " and ".join(codec.upper() for codec in codecs)
    findings.find("window.codecs", codecs, f"{taken} got 200 and a prediction")
    if json_rule := by_codec.get("json"):
        findings.find("window.key", json_rule.key, "")
        batch = ", as a batch of one," if json_rule.batch else ""
        said = f"{_SAID[json_rule.json].format(json_rule.key)}{batch} was understood"
        findings.find("window.json", json_rule.json, said)
        for key in ("columns", "batch", "tensor_name", "tensor_datatype"):
            findings.find(f"window.{key}", getattr(json_rule, key), "")
        _say_what_is_sent(findings)
    if csv_rule := by_codec.get("csv"):
        how = f"as the file `{csv_rule.csv_field}` of a form" if csv_rule.csv == "multipart" else "as the body"
        findings.find("window.csv", csv_rule.csv, f"{how}, CSV was understood")
        findings.find("window.csv_field", csv_rule.csv_field, "")


def _say_what_is_sent(findings: Findings) -> None:
    """Say what no answer tells, and waive what no body can show."""
    window = findings.profile.window
    if window.json in UNNAMED:
        said = f"{', '.join(window.sent)} in this order were answered, and nothing tells one from another"
        findings.leave_open(f"`window.columns`: {said}")
    if not window.tells_time:
        for rule_id in OF_TIMES:
            findings.waive(rule_id, "no JSON body tells when a record begins and ends")


def _read(asker: Asker, best: Understood, findings: Findings) -> None:
    """Find out where in an answer what stands."""
    profile, samples = findings.profile, best.samples
    jumped = send(asker, best.route.path, best.rule, _jumped(profile))
    after = json_of(jumped) if jumped is not None and jumped.status == OK else None
    findings.find("answer.prediction", best.path, _CERTAIN[best.grip])
    if best.grip is not Grip.FOLLOWS:
        findings.leave_open(f"whether `{best.path}` is the prediction: it is {_CERTAIN[best.grip]}")
    for name, path, what in (
        ("as_of", as_of_in(samples, profile.window) if profile.window.tells_time else "", "the newest record's end"),
        ("horizon", horizon_in(samples), "how far ahead it predicts"),
        ("model", model_in(samples), "`name` and `version`"),
        ("anomalies", anomalies_in(samples, after), "a list of anomalies"),
    ):
        findings.find(f"answer.{name}", path, "" if path else f"nothing in the answer is {what}: not promised")
    _horizon(samples[0], findings)


def _horizon(sample: Sample, findings: Findings) -> None:
    path = findings.profile.answer.horizon
    horizon_s = at_path(sample.found, path) if path else None
    if isinstance(horizon_s, (int, float)) and horizon_s != findings.profile.prediction.horizon_s:
        findings.find("prediction.horizon_s", horizon_s, "as the answer says")


def _jumped(profile: Profile) -> Window:
    calm = tuple(_series(profile, LEVELS[0]))
    move, age = _JUMP_TIMES * profile.prediction.jump_move, max(len(calm) // 4, 1)
    return _built(profile, jump(calm, move=move, age=age))


def _built(profile: Profile, seconds: Sequence[Second]) -> Window:
    return build(profile.window, seconds, end_ns=last_whole_second_ns(time.time()))


def _series(profile: Profile, level: float) -> tuple[Second, ...]:
    return tuple(series_in(profile, seed=1, seconds=profile.window.records, level=level))
