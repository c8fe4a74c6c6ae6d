"""What a SavedModel says of itself, read without TensorFlow: signatures, variables, slots, versions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.audit.saved_model.protobuf import Garbled, Message, entries, message_of, messages, parse, text, whole

if TYPE_CHECKING:
    from pathlib import Path

FILE = "saved_model.pb"
SERVING = "serving_default"
# tensorflow/core/framework/types.proto
_TYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    7: "string",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    19: "float16",
}
_BYTES_EACH = {1: 4, 2: 8, 3: 4, 4: 1, 9: 8, 10: 1, 14: 2, 19: 2}


class NoSavedModel(ValueError):  # noqa: N818 - named by what happened
    """A folder holds no SavedModel; the message says what is wrong and what to name instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or an output of a signature; None in the shape is any length, no shape is any shape."""

    name: str
    type: str
    shape: tuple[int | None, ...] | None

    @property
    def width(self) -> int | None:
        """How many numbers one example has; None where the shape leaves that open."""
        lengths = (self.shape or (None, None))[1:]
        known = [length for length in lengths if length is not None]
        return math.prod(known) if len(known) == len(lengths) else None

    def __str__(self) -> str:
        lengths = ", ".join("?" if length is None else str(length) for length in self.shape or ())
        return f"{self.name}: {self.type}[{lengths if self.shape is not None else '...'}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One way to call the model."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.inputs))}) -> ({', '.join(map(str, self.outputs))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the model: how many numbers, how many bytes, and whether training changes it."""

    name: str
    numbers: int
    size_bytes: int
    is_trainable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A SavedModel from outside; `slots` counts the optimizer's variables, which are no part of `variables`."""

    tensorflow: str
    tags: tuple[str, ...]
    signatures: dict[str, Signature]
    variables: tuple[Variable, ...]
    slots: int
    is_keras: bool

    @property
    def trainable(self) -> int:
        """How many numbers training changes."""
        return sum(variable.numbers for variable in self.variables if variable.is_trainable)

    @property
    def serving(self) -> Signature | None:
        """The signature that servers call."""
        return self.signatures.get(SERVING)


def describe(folder: Path) -> Description:
    """Read a SavedModel's folder; raise `NoSavedModel` where it holds none."""
    try:
        content = (folder / FILE).read_bytes()
    except OSError as error:
        msg = f"{folder} holds no {FILE} ({error.strerror}): name the folder of one version, such as DIR/1"
        raise NoSavedModel(msg) from error
    try:
        return description_of(content)
    except Garbled as error:
        msg = f"{folder / FILE} is no SavedModel ({error}): save it again"
        raise NoSavedModel(msg) from error


def description_of(content: bytes) -> Description:
    """Read saved_model.pb (tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saved_object_graph.proto)."""
    graphs = messages(parse(content), 2)
    if not graphs:
        raise Garbled("it has no graph")  # noqa: EM101, TRY003 - said once
    info, objects = message_of(graphs[0], 1), message_of(graphs[0], 7)
    nodes = messages(objects, 1)
    slots = {whole(slot, 3) for node in nodes for slot in messages(node, 3)}
    return Description(
        tensorflow=text(info, 5),
        tags=tuple(value.decode("utf-8", "replace") for value in info.get(4, ()) if isinstance(value, bytes)),
        signatures={
            name: Signature(inputs=_tensors(found, 1), outputs=_tensors(found, 2))
            for name, found in entries(graphs[0], 5).items()
            if not name.startswith("__")
        },
        variables=tuple(
            _variable(message_of(node, 7))
            for number, node in enumerate(nodes)
            if 7 in node and number not in slots  # noqa: PLR2004 - a field
        ),
        slots=len(slots),
        is_keras=any("_keras" in text(message_of(node, 4), 1) for node in nodes),
    )


def _tensors(signature: Message, number: int) -> tuple[Tensor, ...]:
    found = entries(signature, number).items()
    return tuple(
        Tensor(name=name, type=_TYPES.get(whole(tensor, 2), "?"), shape=_shape(message_of(tensor, 3)))
        for name, tensor in sorted(found)
    )


def _shape(shape: Message) -> tuple[int | None, ...] | None:
    if whole(shape, 3):
        return None
    lengths = (whole(length, 1) for length in messages(shape, 2))
    return tuple(None if length < 0 else length for length in lengths)


def _variable(variable: Message) -> Variable:
    numbers = math.prod(length or 0 for length in _shape(message_of(variable, 2)) or ())
    return Variable(
        name=text(variable, 6),
        numbers=numbers,
        size_bytes=numbers * _BYTES_EACH.get(whole(variable, 1), 0),
        is_trainable=bool(whole(variable, 3)),
    )
