"""Sensitivity: how the answer moves with each field of the profile, all others held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity
from harness.audit.model.asking import Case
from harness.audit.model.trial import Trial, by_window
from harness.contract.series import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Answered
    from harness.contract.profile import Role, WindowRule
    from harness.contract.series import Second

_WINDOWS = 5
_STEP = 1e-3
# Room between the extremes and the other prices, so that any of them may be moved alone.
_ROOM = 4 * _STEP
_NEXT_TO_NOTHING = 1e-9
_FOLLOWED_SHARE = 0.25
_USUAL_MOVES = 3

# One field of a period changed alone; it stays good. Prices move by a thousandth, what is counted doubles.
_CHANGES: dict[Role, Callable[[Second], Second]] = {
    "open": lambda second: replace(second, open=second.open * (1 + _STEP)),
    "high": lambda second: replace(second, high=second.high * (1 + _STEP)),
    "low": lambda second: replace(second, low=second.low * (1 - _STEP)),
    "close": lambda second: replace(second, close=second.close * (1 + _STEP)),
    "volume": lambda second: replace(second, volume=second.volume * 2),
    "count": lambda second: replace(second, count=second.count * 2),
    "first_event": lambda second: replace(second, first_event_ns=second.first_event_ns // 2),
    "last_event": lambda second: replace(second, last_event_ns=(second.last_event_ns + SECOND_NS) // 2),
}
_PRICES = ("open", "high", "low", "close")


def _cases(market: Market) -> list[Case]:
    roles = _roles(market.profile.window)
    windows = [tuple(map(_with_room, window)) for window in market.some(_WINDOWS)]
    return [case for of, window in enumerate(windows) for case in _moved(of, window, roles)]


def _moved(of: int, window: tuple[Second, ...], roles: Sequence[Role]) -> Iterator[Case]:
    yield Case(seconds=window, of=of)
    for role in roles:
        yield Case(seconds=tuple(map(_CHANGES[role], window)), of=of, label=role)


def _roles(rule: WindowRule) -> list[Role]:
    return [field.role for field in rule.fields.values() if field.role in _CHANGES]


def _with_room(second: Second) -> Second:
    return replace(
        second,
        high=second.high * (1 + _ROOM),
        low=second.low * (1 - _ROOM),
        volume=max(second.volume, 1.0),
        count=max(second.count, 1),
    )


def _judge(market: Market, answered: Sequence[Answered]) -> Iterable[Finding]:
    effects = effects_of(answered)
    if not effects:
        return
    rule = market.profile.window
    yield _fields({rule.named(role): effect for role, effect in effects.items()})
    if effects.get("close", 1.0) < _FOLLOWED_SHARE * _STEP:
        yield _ignores_close(effects["close"])
    others = {role: effect for role, effect in effects.items() if role not in _PRICES}
    role = max(others, key=lambda role: others[role], default=None)
    if role is not None and others[role] > _USUAL_MOVES * market.typical_move:
        yield _hypersensitive(rule.named(role), others[role], market)


def effects_of(answered: Sequence[Answered]) -> dict[Role, float]:
    """Return the largest change of the prediction by role, as a share of the price."""
    effects: dict[Role, float] = {}
    for role, effect in _changes(answered):
        effects[role] = max(effects.get(role, 0.0), effect)
    return effects


def _changes(answered: Sequence[Answered]) -> Iterator[tuple[Role, float]]:
    for unmoved, *moved in by_window(answered):
        before = unmoved.reply.prediction
        for role in _CHANGES:
            after = next((one.reply.prediction for one in moved if one.case.label == role), None)
            if before and after is not None:
                yield role, abs(after / before - 1)


def _fields(effects: dict[str, float]) -> Finding:
    ignored = [name for name, effect in effects.items() if effect < _NEXT_TO_NOTHING]
    looked_at = [f"{name} {effect:.2g}" for name, effect in effects.items() if name not in ignored]
    says = (
        f"A thousandth of a price, or twice of what is counted, moves the prediction by: {', '.join(looked_at) or '-'}"
    )
    return Finding(
        id="sensitivity.ignored_fields" if ignored else "sensitivity.all_fields_matter",
        severity=Severity.INFORMS,
        says=f"{says} (shares of the price)" + (f"; it ignores {', '.join(ignored)}." if ignored else "."),
        advice="What is ignored need not be demanded of the caller." if ignored else "Nothing to do.",
        numbers={f"{name}_effect_share": effect for name, effect in effects.items()},
    )


def _ignores_close(effect: float) -> Finding:
    return Finding(
        id="sensitivity.ignores_close",
        severity=Severity.WARNS,
        says=f"All closes a thousandth higher move the prediction by {effect:.2g} only: the newest price that is known "
        "hardly counts.",
        advice="Anchor the answer at the last close: nothing in the window says more about the next one.",
        numbers={"effect_share": effect, "step_share": _STEP},
    )


def _hypersensitive(name: str, effect: float, market: Market) -> Finding:
    is_far = effect > market.profile.prediction.quiet_tolerance
    return Finding(
        id="sensitivity.hypersensitive",
        severity=Severity.BLOCKS if is_far else Severity.WARNS,
        says=f"Changing {name} alone moves the prediction by {effect:.3g} of the price, "
        f"{effect / market.typical_move:.0f} times a usual move.",
        advice="Scale that field (its logarithm, or its share of what is usual) before the model sees it.",
        numbers={"effect_share": effect, "usual_move_share": market.typical_move},
    )


SENSITIVITY = Trial(name="each field alone", cases=_cases, judge=_judge)
