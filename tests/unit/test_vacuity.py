"""A suite that proved nothing says so."""

import pytest

from harness.contract.vacuity import Tally, Vacuous


def test_nothing_asked_is_nothing_vacuous() -> None:
    Tally().ensure_worth()


@pytest.mark.parametrize(("answered", "is_worth"), [(100, True), (95, True), (94, False), (0, False)])
def test_95_of_100_good_windows_must_be_answered(answered: int, is_worth: bool) -> None:  # noqa: FBT001 - a parameter
    tally = Tally()
    for number in range(100):
        tally.note_good(200 if number < answered else 422)
    if is_worth:
        tally.ensure_worth()
    else:
        with pytest.raises(Vacuous, match=f"only {answered} were answered"):
            tally.ensure_worth()


def test_a_breach_that_was_never_sent_is_told() -> None:
    tally = Tally()
    tally.want("D7")
    with pytest.raises(Vacuous, match="D7"):
        tally.ensure_worth()
    tally.note_breach("D7")
    tally.ensure_worth()
