"""D1 to D11: a good window, broken in just one way, is refused for just that reason."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.contract.breaches import any_of, breaches, kinds_of_breaches
from harness.contract.data_rules import allowed_dimensions, broken_between
from harness.contract.difference import Example
from harness.contract.judge import UNPROCESSABLE, Violation, demand, judge_error_body, judge_refusal
from harness.contract.records import Window
from harness.contract.vacuity import Vacuous
from harness.options import CHOICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.contract.breach import Breach, Kind
    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.contract.vacuity import Tally
    from harness.system.client import Client, Exchange

pytestmark = pytest.mark.dq

Place: TypeAlias = "Callable[[int], int]"
# Which of so many records.
PLACES: dict[str, Place] = {"first": lambda _: 0, "middle": lambda count: count // 2, "last": lambda count: count - 1}
DATA_RULES = [f"D{number}" for number in range(1, 12)]


@pytest.fixture(scope="module")
def kinds(profile: Profile) -> Mapping[str, Sequence[Kind]]:
    """Make every kind of breach, once for all rules."""
    return kinds_of_breaches(profile.window)


@pytest.mark.parametrize("rule", [pytest.param(rule, marks=pytest.mark.rule(rule)) for rule in DATA_RULES])
def test_breach_is_refused(
    request: pytest.FixtureRequest,
    client: Client,
    profile: Profile,
    fresh_window: Callable[[], Window],
    *,
    tally: Tally,
    kinds: Mapping[str, Sequence[Kind]],
    rule: str,
) -> None:
    """A breach of a data rule MUST get 422 with one of the rule's dimensions."""
    if not kinds[rule]:
        pytest.skip(f"nothing that this profile says of its window can break {rule}")
    tally.want(rule)

    def is_refused(breach: Breach, codec: Codec) -> bool:
        """Send a broken window and demand its refusal; False where it was not broken for sure."""
        good = fresh_window()
        window, from_s = breach.of(good), time.time()
        exchange = client.predict(window, codec)
        # It was read at some moment in between: on a machine that stood still, the future may have become the present.
        throughout, ever = broken_between(profile.window, window, from_s=from_s, to_s=time.time())
        if rule in throughout:
            tally.note_breach(rule)
            demand(_judge(exchange, breach, ever, profile), exchange, Example(says=breach.says, good=good, sent=window))
        return rule in ever

    def check(breach: Breach, data: st.DataObject) -> None:
        assume(is_refused(breach, data.draw(st.sampled_from(breach.codecs), label="as")))

    # Hypothesis keeps failing examples by name: each rule's are its own, or another would clear them away.
    check.__name__ = f"a_breach_of_{rule}_is_refused"
    # Every kind of breach is sent whatever is drawn: a container may catch one and miss the next.
    for breach, codec in _always(kinds[rule], request.config.stash[CHOICE].effort):
        if not is_refused(breach, codec):
            msg = f"{breach!r} broke nothing"
            raise Vacuous(msg)
    given(breach=any_of(kinds[rule]), data=st.data())(check)()


@pytest.mark.rule("C10")
def test_every_refusal_has_the_error_body(
    request: pytest.FixtureRequest,
    client: Client,
    profile: Profile,
    fresh_window: Callable[[], Window],
    kinds: Mapping[str, Sequence[Kind]],
) -> None:
    """Every non-2xx answer MUST be the JSON error object and give nothing away."""

    def judged(breach: Breach, codec: Codec) -> None:
        good = fresh_window()
        example = Example(says=breach.says, good=good, sent=breach.of(good))
        exchange = client.predict(example.sent, codec)
        demand(
            judge_error_body(exchange.answer, profile.refusals) if exchange.answer.status >= 300 else [],
            exchange,
            example,
        )

    @given(breach=st.one_of(list(breaches(profile.window).values())), data=st.data())
    def check(breach: Breach, data: st.DataObject) -> None:
        judged(breach, data.draw(st.sampled_from(breach.codecs), label="as"))

    # What breaks a rule that is waived is sent by no other check, and one kind alone may bring a traceback.
    for rule in [name for name in kinds if name in profile.waived]:
        for breach, codec in _always(kinds[rule], request.config.stash[CHOICE].effort):
            if codec in profile.window.codecs:
                judged(breach, codec)
    check()


@pytest.mark.rule("D1", "D2")
@pytest.mark.codec("json")
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"windows": []},
        {"window": None},
        {"window": {}},
        {"window": "x"},
        {"window": [1]},
        {"window": [[]]},
    ],
    ids=json.dumps,
)
def test_what_holds_no_list_of_records_is_refused(client: Client, profile: Profile, content: dict[str, object]) -> None:
    """A JSON object whose window is missing or no list of objects MUST be refused as a breach of D1 or D2."""
    # As many as there must be, so that nothing else is wrong with them.
    full = {key: value * profile.window.records if isinstance(value, list) else value for key, value in content.items()}
    renamed = {profile.window.key if key == "window" else key: value for key, value in full.items()}
    exchange = client.invoke(json.dumps(renamed).encode())
    allowed = allowed_dimensions({"D1", "D2"} | ({"D4"} if None in content.values() else set()))
    demand(
        judge_refusal(exchange.answer, profile.refusals, rule="D1", status=[UNPROCESSABLE], dimensions=allowed),
        exchange,
    )


@pytest.mark.rule("D1", "D2")
@pytest.mark.codec("json")
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("item", [None, 7, "x", [], True], ids=json.dumps)
def test_a_list_with_one_that_is_no_record_is_refused(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], item: object, place: Place
) -> None:
    """A list in which one is no object, wherever it stands, MUST be refused as a breach of D1 or D2."""
    content: list[object] = [dict(record) for record in fresh_window().records]
    content[place(profile.window.records)] = item
    exchange = client.invoke(json.dumps({profile.window.key: content}).encode())
    allowed = allowed_dimensions({"D1", "D2", *(["D4"] if item is None else [])})
    demand(
        judge_refusal(exchange.answer, profile.refusals, rule="D1", status=[UNPROCESSABLE], dimensions=allowed),
        exchange,
    )


def _always(kinds: Sequence[Kind], effort: str) -> Iterator[tuple[Breach, Codec]]:
    """Yield what is always sent; one alone of each kind, in turn another place and codec, where it has to be quick."""
    for turn, kind in enumerate(kinds):
        yield from kind.always if effort != "quick" else [kind.always[turn % len(kind.always)]]


def _judge(exchange: Exchange, breach: Breach, broken: set[str], profile: Profile) -> list[Violation]:
    found = judge_refusal(
        exchange.answer,
        profile.refusals,
        rule=breach.rule,
        status=[UNPROCESSABLE],
        dimensions=allowed_dimensions(broken),
    )
    # The error's body has a check of its own: here only the refusal and its dimension count.
    mine = [violation for violation in found if violation.rule == breach.rule]
    return [
        Violation(rule=breach.rule, expected=f"{violation.expected} to {breach.says}", actual=violation.actual)
        for violation in mine
    ]
