"""The forms in which bodies hold a window: JSON in six ways, and CSV as a file of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract.records import Value, Window
    from harness.contract.window_rule import Form, WindowRule

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
    rows = _values(rule, window)
    return {rule.key: [rows] if rule.batch else rows}


def _columns(rule: WindowRule, window: Window) -> object:
    columns = {name: _column(window, name) for name in _names(rule, window)}
    return {rule.key: [columns] if rule.batch else columns}


def _v2(rule: WindowRule, window: Window) -> object:
    """Return an inference request of the Open Inference Protocol, version 2: a tensor a field."""
    tensors = [
        {
            "name": name,
            "shape": _shape(rule, len(window.records)),
            "datatype": _DATATYPES[rule.fields[name].kind] if name in rule.fields else "BYTES",
            "data": _column(window, name),
        }
        for name in _names(rule, window)
    ]
    return {rule.key: tensors}


def _tensor(rule: WindowRule, window: Window) -> object:
    """Return such a request with one tensor of all records; one that lacks a value has fewer than its shape says."""
    tensor = {
        "name": rule.tensor_name,
        "shape": _shape(rule, len(window.records), len(rule.sent)),
        "datatype": rule.tensor_datatype,
        "data": [value for values in _values(rule, window) for value in values],
    }
    return {rule.key: [tensor]}


def _shape(rule: WindowRule, *sizes: int) -> list[int]:
    return [*([1] if rule.batch else []), *sizes]


def _values(rule: WindowRule, window: Window) -> list[list[Value]]:
    """Return what is sent of each record, every value in its place: nothing stands for one that is missing."""
    sent = rule.sent
    return [[record[name] for name in sent if name in record] for record in window.records]


def _names(rule: WindowRule, window: Window) -> list[str]:
    """Return every name that a record has; the fields of the profile where there is no record."""
    return list(dict.fromkeys(name for record in window.records for name in record)) or list(rule.fields)


def _column(window: Window, name: str) -> list[Value]:
    return [record.get(name) for record in window.records]


FORMS: Mapping[Form, Callable[[WindowRule, Window], object]] = {
    "records": _records,
    "split": _split,
    "rows": _rows,
    "columns": _columns,
    "v2": _v2,
    "tensor": _tensor,
}
