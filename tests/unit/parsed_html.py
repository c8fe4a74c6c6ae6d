"""HTML read by the standard library's parser into what a test asks about: elements, words, and whether they nest."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "hr", "img", "input", "wbr", "path", "use", "rect", "line", "circle"}


@dataclass
class Element:
    """One element; `text` is all the words in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Return the elements below it with one of the tags, or all, in the order of the page."""
        found = []
        for child in self.children:
            found += ([child] if not tags or child.tag in tags else []) + child.all(*tags)
        return found

    def by_id(self, name: str) -> Element:
        """Return the one element with an id."""
        (found,) = [one for one in self.all() if one.attributes.get("id") == name]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
            self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def parse(text: str) -> Element:
    """Read a page; an element that is not closed, or closes another, is an error."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert [element.tag for element in reader.open] == [""], f"left open: {reader.open[-1].tag}"
    return reader.root
