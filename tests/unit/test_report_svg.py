"""Pictures inside a page: what draws is kept, nothing that could act is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.experiment.judge import judge
from harness.report.svg import NoDrawing, inline
from harness.report.timeline import draw
from tests.unit.parsed_html import parse
from tests.unit.test_experiment_judge import GOOD

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)">
<script>alert(1)</script><style>* { display: none }</style><foreignObject><b>x</b></foreignObject>
<a href="javascript:alert(1)"><path d="M 0 0"/></a><image href="http://elsewhere.example/x.png"/>
<use xlink:href="http://elsewhere.example/x.svg#a"/><g id="a" onclick="alert(1)"><use xlink:href="#a"/></g>
<text>a &lt;b&gt; <tspan>c</tspan> d</text></svg>"""


def test_what_could_act_is_dropped() -> None:
    elements = parse(str(inline(HOSTILE, name="one", alt='"a" <picture>'))).all()
    assert {element.tag for element in elements} == {"svg", "image", "use", "g", "text", "tspan"}
    assert {name for element in elements for name in element.attributes} == {"id", "href", "role", "aria-label"}
    assert [one.attributes["href"] for one in elements if "href" in one.attributes] == ["#one-a"]
    assert elements[0].attributes == {"role": "img", "aria-label": '"a" <picture>'}
    assert [one.text for one in elements if one.tag == "text"] == ["a <b> c d"]


def test_style_that_all_points_have_is_said_once() -> None:
    points = '<use href="#a" x="1" style="fill: #0072b2"/><use href="#a" x="2" style="fill: #0072b2"/>'
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg"><g>{points}</g><path id="a"/></svg>'
    elements = parse(str(inline(drawn, name="one", alt=""))).all()
    assert [one.attributes.get("style") for one in elements if one.tag in ("g", "use")] == [
        *("fill: var(--plot-blue)", None, None)
    ]
    faint = drawn.replace("fill: #0072b2", "opacity: 0.5")
    assert [one.attributes.get("style") for one in parse(str(inline(faint, name="one", alt=""))).all("use")] == [
        *("opacity: 0.5", "opacity: 0.5")
    ]


@pytest.mark.parametrize("text", ["", "<html/>", "<svg", "<svg/>", '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>'])
def test_what_is_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(NoDrawing):
        inline(text, name="one", alt="")


def test_timeline_takes_the_pages_colours_and_leaves_no_id_to_chance(tmp_path: Path) -> None:
    drawn = draw(GOOD, judge(GOOD), tmp_path / "stop.svg", headline=False).read_text(encoding="utf-8")
    found = inline(drawn, name="stop", alt="a timeline")
    assert "var(--plot-blue)" in found
    assert "#000000" not in found
    assert "#ffffff" not in found
    assert "right (" in found
    ids = [one.attributes["id"] for one in parse(str(found)).all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("stop-") for name in ids)
