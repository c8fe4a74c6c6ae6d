"""SVG inside a page: in the page's own colours, with a name for who cannot see it, and with nothing active."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DRAWING = re.compile(
    r"svg|g|defs|path|use|clipPath|rect|text|tspan|line|polyline|polygon|circle|ellipse|image|linearGradient|stop"
)
_SHAPE = re.compile(
    r"d|[xyr]|[xy][12]|[cr][xy]|width|height|viewBox|transform|clip-path|points|style|(fill|stroke)(-opacity)?|opacity|"
    r"stroke-(width|linecap|linejoin)|text-anchor|offset|preserveAspectRatio"
)
_COLOURS = {
    "#0072b2": "var(--plot-blue)",
    "#e69f00": "var(--plot-orange)",
    "#d55e00": "var(--plot-red)",
    "#cc79a7": "var(--plot-pink)",
    "#009e73": "var(--plot-green)",
    "#999999": "var(--plot-grey)",
    "#808080": "var(--plot-grey)",
    "#b0b0b0": "var(--plot-grey)",
    "#000000": "currentColor",
    "#ffffff": "none",
}
_COLOUR = re.compile("|".join(_COLOURS), re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(-?\d+\.\d{2})\d+")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_PICTURE = "data:image/png;base64,"


class NoDrawing(ValueError):  # noqa: N818 - named by what it is
    """A file is no SVG."""


def inline(text: str, *, name: str, alt: str) -> Markup:
    """Return an SVG as a part of a page, `alt` for who cannot see it; raise `NoDrawing` where it is none.

    Only what draws is kept, so that nothing in a file can act; ids get the name, which makes them the page's own.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 - the harness drew it, and expat bounds what entities grow to
    except ET.ParseError as error:
        msg = f"no SVG: {error}"
        raise NoDrawing(msg) from error
    if root.tag != f"{{{_SVG}}}svg":
        msg = f"no SVG: <{root.tag}>"
        raise NoDrawing(msg)
    drawing = _kept(root, name)
    for attribute in ("width", "height", "id"):
        drawing.attrib.pop(attribute, None)
    drawing.attrib |= {"role": "img", "aria-label": alt}
    return Markup(ET.tostring(drawing, encoding="unicode"))  # noqa: S704 - made of what draws, by an XML writer


def _kept(element: ET.Element, name: str) -> ET.Element:
    kept = ET.Element(_local(element.tag))
    kept.text, kept.tail = _words(element.text), _words(element.tail)
    kept.attrib |= dict(_attributes(element, name))
    drawing = [child for child in element if isinstance(child.tag, str) and _DRAWING.fullmatch(_local(child.tag))]
    kept.extend(_kept(child, name) for child in drawing)
    _say_once(kept)
    return kept


def _say_once(group: ET.Element) -> None:
    """Give a group the style that all its points have: a scatter of thousands says it thousands of times."""
    styles = {child.get("style", "") for child in group}
    is_scatter = group.tag == "g" and {child.tag for child in group} == {"use"} and "style" not in group.attrib
    if is_scatter and len(styles) == 1 and (style := styles.pop()) and "opacity" not in style:
        group.set("style", style)
        for child in group:
            child.attrib.pop("style", None)


def _attributes(element: ET.Element, name: str) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        if key in ("href", f"{{{_XLINK}}}href"):
            if value.startswith("#"):
                yield "href", f"#{name}-{value[1:]}"
            elif value.startswith(_PICTURE):
                yield "href", value
        elif key == "id":
            yield key, f"{name}-{value}"
        elif _SHAPE.fullmatch(key):
            yield key, _in_the_pages_colours(_LONG_NUMBER.sub(r"\1", value), name)


def _in_the_pages_colours(value: str, name: str) -> str:
    coloured = _COLOUR.sub(lambda found: _COLOURS[found[0].lower()], value)
    return _REFERENCE.sub(rf"url(#{name}-\1)", coloured)


def _words(text: str | None) -> str | None:
    return text if text is not None and text.strip() else None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
