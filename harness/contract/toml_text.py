"""Values as TOML writes them."""

from __future__ import annotations

import json


def toml(value: object) -> str:
    """Write a value as TOML does; None, which TOML does not have, as a word."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{toml_key(name)} = {toml(item)}" for name, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return str(value)


def toml_key(name: str) -> str:
    """Write a key as TOML does: in quotes where it must be."""
    is_bare = bool(name) and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare or set(name) in ({"-"}, {"_"}) else toml(name)
