"""Slack's documented limits of a message, and the error that it answers beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCKS_MAX = 50
SECTION_MAX = 3_000
HEADER_MAX = 150
CONTEXT_ELEMENTS_MAX = 10
TEXT_MAX = 40_000
ALL_BLOCKS_MAX = 13_200  # undocumented, but met
_TEXT_KINDS = frozenset({"plain_text", "mrkdwn"})


def content_error(post: Mapping[str, Any]) -> str | None:
    """Return the error that chat.postMessage answers to this content, None where it is accepted."""
    text, blocks = post.get("text"), post.get("blocks") or []
    if not text and not blocks:
        return "no_text"
    if len(text or "") > TEXT_MAX:
        return "msg_too_long"
    if not isinstance(blocks, list) or len(blocks) > BLOCKS_MAX or not all(map(_is_valid, blocks)):
        return "invalid_blocks"
    if sum(len(text) for block in blocks for text in _texts(block)) > ALL_BLOCKS_MAX:
        return "msg_blocks_too_long"
    return None if _is_metadata(post.get("metadata")) else "invalid_metadata_format"


def _is_valid(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    if kind == "header":
        return block["text"].get("type") == "plain_text" and _is_text(block["text"], HEADER_MAX)
    if kind == "section":
        return _is_text(block.get("text", {}), SECTION_MAX)
    if kind == "context":
        elements = block.get("elements", [])
        return 0 < len(elements) <= CONTEXT_ELEMENTS_MAX and all(_is_text(text, SECTION_MAX) for text in elements)
    return kind == "divider"


def _is_text(text: Mapping[str, Any], limit: int) -> bool:
    return text.get("type") in _TEXT_KINDS and 0 < len(text.get("text", "")) <= limit


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    for text in (block.get("text"), *block.get("elements", ())):
        if text:
            yield text["text"]


def _is_metadata(metadata: Any) -> bool:  # noqa: ANN401 - whatever came over the wire
    if metadata is None:
        return True
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        return False
    return isinstance(metadata.get("event_payload"), dict)
