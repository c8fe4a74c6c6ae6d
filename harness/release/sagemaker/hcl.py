"""HCL as Terraform reads it: blocks of attributes and blocks, written out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Scalar: TypeAlias = "str | float | bool | Reference"
Value: TypeAlias = "Scalar | Sequence[Scalar] | Mapping[str, Scalar]"


@dataclass(frozen=True, slots=True)
class Reference:
    """An expression that Terraform works out, such as `aws_sagemaker_model.a.name`: written without quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its words (`resource "kind" "name"`), then attributes, then blocks in it."""

    words: tuple[str, ...]
    attributes: Mapping[str, Value]
    blocks: tuple[Block, ...] = ()


def written(blocks: Sequence[Block]) -> str:
    """Write blocks, an empty line between two of them."""
    return "\n".join("\n".join(_lines(block, "")) + "\n" for block in blocks)


def _lines(block: Block, indent: str) -> list[str]:
    kind, *labels = block.words
    head = " ".join([kind, *(json.dumps(label) for label in labels)])
    inner = indent + "  "
    lines = [f"{inner}{name} = {_value(value, inner)}" for name, value in block.attributes.items()]
    for one in block.blocks:
        lines += _lines(one, inner)
    return [f"{indent}{head} {{", *lines, f"{indent}}}"]


def _value(value: Value, indent: str) -> str:
    if isinstance(value, Mapping):
        lines = [f"{indent}  {_key(key)} = {_value(item, indent)}" for key, item in value.items()]
        return "\n".join(["{", *lines, f"{indent}}}"])
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(item, indent) for item in value) + "]"
    return value.text if isinstance(value, Reference) else json.dumps(value)


def _key(key: str) -> str:
    return key if key.isidentifier() else _text(key)


def _text(text: str) -> str:
    """Quote a string: `${` and `%{` would begin an expression."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
