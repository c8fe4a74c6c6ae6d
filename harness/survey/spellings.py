"""The ways in which a window may be written, the likeliest first. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.window_rule import WindowRule
    from harness.survey.routes import Route

Form = Literal["records", "split", "rows", "columns", "v2"]
_V2: tuple[str, Form] = ("inputs", "v2")
# SageMaker's and our own; mlflow's; TensorFlow Serving's and KServe's; what teams call it.
_JSON: tuple[tuple[str, Form], ...] = (
    *(("window", "records"), ("dataframe_split", "split"), ("dataframe_records", "records")),
    *(("instances", "records"), ("instances", "rows"), ("inputs", "columns"), ("inputs", "records"), _V2),
    *(("records", "records"), ("data", "records"), ("data", "split"), ("data", "rows"), ("rows", "records")),
)
_FORMS: tuple[Form, ...] = ("records", "split", "columns", "rows")
_FILES = ("file", "csv", "csv_file", "data", "upload", "input")


def as_json(route: Route, rule: WindowRule) -> Iterator[WindowRule]:
    """Yield a window's rule for each way to write it as JSON."""
    told = [(key, form) for key in route.keys for form in _FORMS]
    own: tuple[str, Form] = (rule.key, rule.json)
    order = [_V2, own, *_JSON] if route.is_v2 else [*told, own, *_JSON]
    for key, form in dict.fromkeys(order):
        yield replace(rule, codecs=("json",), key=key, json=form)


def as_csv(route: Route, rule: WindowRule) -> Iterator[WindowRule]:
    """Yield a window's rule for each way to send it as CSV: as the body, or as a file of a form."""
    only = replace(rule, codecs=("csv",))
    yield replace(only, csv="body")
    for name in dict.fromkeys((*route.files, rule.csv_field, *_FILES)):
        yield replace(only, csv="multipart", csv_field=name)
