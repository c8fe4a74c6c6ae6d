"""The ways in which a window may be written, the likeliest first. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.contract.window_rule import Form, WindowRule
    from harness.survey.routes import Route, Tensor

_V2: tuple[str, Form] = ("inputs", "v2")
# SageMaker's and our own; mlflow's; TensorFlow Serving's and KServe's; what teams call it.
_JSON: tuple[tuple[str, Form], ...] = (
    *(("window", "records"), ("dataframe_split", "split"), ("dataframe_records", "records")),
    *(("instances", "records"), ("instances", "rows"), ("inputs", "columns"), ("inputs", "records"), _V2),
    *(("records", "records"), ("data", "records"), ("data", "split"), ("data", "rows"), ("rows", "records")),
)
_FORMS: tuple[Form, ...] = ("records", "split", "columns", "rows")
# Who wants numbers alone, or a batch, may want them under these.
_OF_NUMBERS = ("instances", "inputs")
_DATATYPES = ("FP32", "FP64")
_TABLE, _BATCH = 2, 3
_FILES = ("file", "csv", "csv_file", "data", "upload", "input")


def as_json(route: Route, rule: WindowRule) -> Iterator[WindowRule]:
    """Yield a window's rule for each way to write it as JSON, each once."""
    seen: list[WindowRule] = []
    for one in _ways(route, rule):
        if one not in seen:
            seen.append(one)
            yield one


def _ways(route: Route, rule: WindowRule) -> Iterator[WindowRule]:
    own = replace(rule, codecs=("json",))
    plain = replace(own, json="records", columns=(), batch=False, tensor_name="input", tensor_datatype="FP64")
    told = [(key, form) for key in route.keys for form in _FORMS]
    sets = _column_sets(rule)
    if len(route.tensors) == 1:
        yield from _as_told(route.tensors[0], plain, sets)
    yield from _formed(plain, [_V2] if route.is_v2 else told)
    yield own
    if route.is_v2:
        yield from _as_tensor(plain, sets)
    yield from _formed(plain, _JSON)
    for key in dict.fromkeys((*route.keys, *_OF_NUMBERS)):
        yield from _as_numbers(replace(plain, key=key), sets)


def _formed(plain: WindowRule, ways: Iterable[tuple[str, Form]]) -> Iterator[WindowRule]:
    for key, form in ways:
        yield replace(plain, key=key, json=form)


def _as_told(tensor: Tensor, plain: WindowRule, sets: Iterable[tuple[str, ...]]) -> Iterator[WindowRule]:
    """Yield what fits the one tensor that a model is said to take: records by fields, or a batch of such."""
    if tensor.datatype not in _DATATYPES or len(tensor.shape) not in (_TABLE, _BATCH):
        return
    named = replace(plain, key="inputs", json="tensor", tensor_name=tensor.name, batch=len(tensor.shape) == _BATCH)
    typed = replace(named, tensor_datatype="FP32") if tensor.datatype == "FP32" else named
    yield from (replace(typed, columns=names) for names in sets if tensor.shape[-1] in (-1, len(names)))


def _as_tensor(plain: WindowRule, sets: Iterable[tuple[str, ...]]) -> Iterator[WindowRule]:
    """Yield one tensor, of which nothing is known."""
    tensor = replace(plain, key="inputs", json="tensor")
    yield from (replace(tensor, columns=names, batch=batch) for names in sets for batch in (False, True))


def _as_numbers(plain: WindowRule, sets: Iterable[tuple[str, ...]]) -> Iterator[WindowRule]:
    """Yield lists of numbers, as they are and as a batch of one, and a batch of one object of lists."""
    rows = replace(plain, json="rows")
    yield from (replace(rows, columns=names, batch=batch) for names in sets for batch in (False, True))
    yield replace(plain, json="columns", batch=True)


def _column_sets(rule: WindowRule) -> list[tuple[str, ...]]:
    """Return the fields that a model may want: its profile's, all numbers, prices with volume or alone, the target."""
    volume = rule.find("volume")
    prices = rule.prices
    sets = [rule.columns, rule.of_kind("number", "integer"), (*prices, *([volume] if volume else [])), prices]
    return [names for names in dict.fromkeys([*sets, (rule.target,)]) if names]


def as_csv(route: Route, rule: WindowRule) -> Iterator[WindowRule]:
    """Yield a window's rule for each way to send it as CSV: as the body, or as a file of a form."""
    only = replace(rule, codecs=("csv",))
    yield replace(only, csv="body")
    for name in dict.fromkeys((*route.files, rule.csv_field, *_FILES)):
        yield replace(only, csv="multipart", csv_field=name)
