"""The forms in which bodies hold a window: JSON in five ways, and CSV as a file of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract.records import Value, Window
    from harness.contract.window_rule import WindowRule

_BOUNDARY = "----window-a8c2f19e6b"
FORM_TYPE = f"multipart/form-data; boundary={_BOUNDARY}"
_DATATYPES = {"timestamp": "BYTES", "number": "FP64", "integer": "INT64"}


def in_form(sheet: bytes, *, name: str) -> bytes:
    """Return a form (RFC 7578) whose one file, of a name, is a CSV sheet."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="window.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return head.encode() + sheet + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _records(rule: WindowRule, window: Window) -> object:
    return {rule.key: [dict(record) for record in window.records]}


def _split(rule: WindowRule, window: Window) -> object:
    names = _names(rule, window)
    return {rule.key: {"columns": names, "data": [[record.get(name) for name in names] for record in window.records]}}


def _rows(rule: WindowRule, window: Window) -> object:
    return {rule.key: [list(record.values()) for record in window.records]}


def _columns(rule: WindowRule, window: Window) -> object:
    return {rule.key: {name: _column(window, name) for name in _names(rule, window)}}


def _v2(rule: WindowRule, window: Window) -> object:
    """Return an inference request of the Open Inference Protocol, version 2: a tensor a field."""
    tensors = [
        {
            "name": name,
            "shape": [len(window.records)],
            "datatype": _DATATYPES[rule.fields[name].kind] if name in rule.fields else "BYTES",
            "data": _column(window, name),
        }
        for name in _names(rule, window)
    ]
    return {rule.key: tensors}


def _names(rule: WindowRule, window: Window) -> list[str]:
    """Return every name that a record has; the fields of the profile where there is no record."""
    return list(dict.fromkeys(name for record in window.records for name in record)) or list(rule.fields)


def _column(window: Window, name: str) -> list[Value]:
    return [record.get(name) for record in window.records]


FORMS: Mapping[str, Callable[[WindowRule, Window], object]] = {
    "records": _records,
    "split": _split,
    "rows": _rows,
    "columns": _columns,
    "v2": _v2,
}
