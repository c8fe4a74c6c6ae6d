"""`endpoint.toml`, the shares that its weights make, and `harness endpoint up` where it says no."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.contract.profile import Http
from harness.release.endpoint import ConfigInvalid, EndpointConfig, ShadowConfig, VariantConfig, load_config
from harness.release.endpoint.asking import Asker
from harness.release.endpoint.call import Call
from harness.release.endpoint.router import Router
from harness.release.endpoint.tally import Count
from harness.release.endpoint.variant import Variant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ONE = '[[variants]]\nname = "a"\nimage = "a:1"\n'
CALLS = 10_000
# The chi-square value that chance exceeds once in 1,000 times, by degrees of freedom.
ONCE_IN_1000 = {1: 10.83, 2: 13.82, 4: 18.47, 9: 27.88}


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (70, 20, 10), (1, 0, 3), (5, 4, 3, 2, 1), (1,) * 10, (0.5, 99.5)])
def test_shares_are_weights_over_their_sum(weights: Sequence[float]) -> None:
    got = asyncio.run(chosen(weights))
    expected = {str(at): CALLS * weight / sum(weights) for at, weight in enumerate(weights) if weight}
    assert got.keys() == expected.keys()
    square = math.fsum((got[name] - wanted) ** 2 / wanted for name, wanted in expected.items())
    assert square < ONCE_IN_1000[len(expected) - 1]


def test_who_came_last_says_nothing_of_who_comes_next() -> None:
    got = asyncio.run(in_turn((1, 1)))
    again = sum(one == other for one, other in pairwise(got))
    assert abs(again - CALLS / 2) < 3.3 * math.sqrt(CALLS / 4)


async def chosen(weights: Sequence[float]) -> Counter[str]:
    return Counter(await in_turn(weights))


async def in_turn(weights: Sequence[float]) -> list[str]:
    variants = tuple(VariantConfig(name=str(at), image="i", weight=weight) for at, weight in enumerate(weights))
    asker = Asker(Http(), deadline_s=1, payload_bytes=1)
    router = Router(EndpointConfig(variants=variants, seed=1), asker)
    router.variants = {one.name: Variant(one, Count(1.0)) for one in variants}
    call = Call(body=b"", headers={}, target="", inference_id="")
    got = [router.chosen(call).name for _ in range(CALLS)]
    await asker.close()
    return got


def test_a_description_is_read(tmp_path: Path) -> None:
    path = tmp_path / "endpoint.toml"
    path.write_text(
        f'schema = 1\nname = "price"\ndeadline_s = 5\n{ONE}'
        '[shadow]\nname = "s"\nurl = "http://127.0.0.1:1"\nshare = 0.5\n'
    )
    assert load_config(path) == EndpointConfig(
        name="price",
        deadline_s=5,
        variants=(VariantConfig(name="a", image="a:1"),),
        shadow=ShadowConfig(name="s", url="http://127.0.0.1:1", share=0.5),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "`variants` is missing"),
        ("variants = []", "has 1 to 10 `[[variants]]`, got 0"),
        ("".join(ONE.replace('"a"', f'"v{at}"') for at in range(11)), "has 1 to 10 `[[variants]]`, got 11"),
        (ONE + "weigth = 1", "unknown key `weigth` in `[variants[0]]`, did you mean `weight`?"),
        (ONE + "weight = -1", "`variants[0].weight` must be a number, 0 or more, got -1"),
        (ONE + "weight = 0", "no variant has a `weight`"),
        (ONE + ONE, "two variants are called 'a'"),
        (ONE + 'url = "http://x"', "`variants[0]` (a) must have either `image` or `url`"),
        (ONE.replace("a:1", ""), "`variants[0]` (a) must have either `image` or `url`"),
        (ONE.replace('image = "a:1"', 'url = "x"'), "`variants[0].url` must begin with http:// or https://"),
        (ONE + "instances = 0", "`variants[0].instances` must be 1 or more"),
        (ONE.replace('"a"', '"a b"'), "`variants[0].name` must be 1 to 63 letters"),
        ("deadline_s = 0\n" + ONE, "`deadline_s` must be more than 0"),
        ("port = 70000\n" + ONE, "`port` must be from 0 to 65535"),
        ('profile = "nowhere.toml"\n' + ONE, "nowhere.toml: cannot be read"),
        (ONE + '[shadow]\nname = "s"\nimage = "s"\nshare = 2', "`shadow.share` must be more than 0 and 1 at most"),
        (ONE + '[shadow]\nname = "a"\nimage = "s"', "two variants are called 'a'"),
        (
            ONE + ONE.replace('"a"', '"b"') + '[shadow]\nname = "s"\nimage = "s"',
            "an endpoint with a `[shadow]` has one production variant",
        ),
        (ONE + "[health]\nping_every_s = 0", "`ping_every_s` in `[health]` must be more than 0"),
        ("schema = 2\nvariant_groups = []\n" + ONE, "`schema` must be 1, got 2: this harness reads no other version"),
        ("name = 1\n" + ONE, "`name` must be a string, got 1"),
        ("[", "is not TOML"),
    ],
)
def test_a_wrong_description_is_refused_in_a_sentence(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "endpoint.toml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load_config(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"endpoint {path}: ")
    assert main(["endpoint", "up", "--config", str(path)]) == 4
    assert says in capsys.readouterr().err


def test_where_there_is_no_description_one_to_begin_with_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["endpoint", "up", "--config", str(tmp_path / "endpoint.toml")]) == 4
    shown = capsys.readouterr().err
    assert "cannot be read: No such file or directory" in shown
    begin = tmp_path / "begin.toml"
    begin.write_text(shown[shown.index("[[variants]]") :])
    assert [one.weight for one in load_config(begin).variants] == [9, 1]
