"""The wire format of Protocol Buffers: a message as lists of raw fields by number, without anybody's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

# Field number -> values in their order: whole numbers, or bytes of what is longer. https://protobuf.dev/programming-guides/encoding
Message: TypeAlias = "dict[int, list[int | bytes]]"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BITS_MOST = 70


class Garbled(ValueError):  # noqa: N818 - named by what happened
    """Bytes that are no message."""


def parse(data: bytes) -> Message:
    """Read a message; raise `Garbled` where it is none."""
    message: Message = {}
    for number, value in _fields(data):
        message.setdefault(number, []).append(value)
    return message


def messages(message: Message, number: int) -> list[Message]:
    """Return the messages of a field."""
    return [parse(value) for value in message.get(number, ()) if isinstance(value, bytes)]


def message_of(message: Message, number: int) -> Message:
    """Return the message of a field that comes once; an empty one where it does not."""
    return (messages(message, number) or [{}])[-1]


def text(message: Message, number: int) -> str:
    """Return a field's text, empty where it is not there."""
    value = (message.get(number) or [b""])[-1]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def whole(message: Message, number: int) -> int:
    """Return a field's signed whole number of 64 bits, 0 where it is not there."""
    value = (message.get(number) or [0])[-1]
    if isinstance(value, bytes):
        raise Garbled("a whole number was wanted")  # noqa: EM101, TRY003 - said once
    return value - (1 << 64) if value >= 1 << 63 else value


def entries(message: Message, number: int) -> dict[str, Message]:
    """Return a map from text to messages."""
    return {text(entry, 1): message_of(entry, 2) for entry in messages(message, number)}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        length, at = _length(data, at, kind)
        if at + length > len(data):
            msg = f"field {number} ends {at + length - len(data)} bytes behind the message"
            raise Garbled(msg)
        yield number, data[at : at + length]
        at += length


def _length(data: bytes, at: int, kind: int) -> tuple[int, int]:
    if kind == _BYTES:
        return _varint(data, at)
    lengths = {_FIXED64: 8, _FIXED32: 4}
    if kind not in lengths:
        msg = f"no field has the wire type {kind}"
        raise Garbled(msg)
    return lengths[kind], at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < _VARINT_BITS_MOST:
        if at >= len(data):
            break
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more bytes follow
            return value, at
    msg = f"a whole number at byte {at} does not end"
    raise Garbled(msg)
