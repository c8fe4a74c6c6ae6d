"""Where servers of models have their routes, by custom, and where a server says that it has them. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# By custom: SageMaker, mlflow, MLServer, Triton; FastAPI; Flask; BentoML; TensorFlow Serving; the rest.
PORTS = (8080, 8000, 5000, 3000, 8501, 8888, 9000, 80)
# What says most about readiness first; a page at the root says least.
PINGS = (
    *("/ping", "/v2/health/ready", "/readyz", "/ready", "/health/ready", "/healthz", "/health", "/livez"),
    *("/v2/health/live", "/status", "/"),
)
DESCRIPTIONS = ("/openapi.json", "/docs.json", "/v2/docs/dataplane.json", "/swagger.json")
PAGES = ("/docs", "/redoc", "/v2/docs", "/version", "/metrics", "/v2", "/v1/models", "/v2/repository/index")
_INVOCATIONS = (
    *("/invocations", "/predict", "/predictions", "/v1/predict", "/api/predict", "/score", "/infer", "/inference"),
    *("/invoke", "/forecast", "/"),
)
_PLACE = re.compile(r"[{}]")
_MODEL_NAME = re.compile(r"[\w.~-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input of a model as its server describes it; a size of -1 is any."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"`{self.name}` of {self.datatype} {list(self.shape)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route that may take windows, and what the server says of it: names in a JSON body, files, tensors."""

    path: str
    is_v2: bool = False
    keys: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tensors: tuple[Tensor, ...] = ()

    @property
    def metadata_path(self) -> str | None:
        """Where a server of the Open Inference Protocol describes the model; None for others."""
        return self.path.removesuffix("/infer") if self.is_v2 else None


def customary(invocations_path: str) -> Iterator[Route]:
    """Yield the routes that servers have by custom, the profile's own first."""
    yield from (Route(path=path) for path in dict.fromkeys((invocations_path, *_INVOCATIONS)))


def of_models(listed: bytes) -> Iterator[Route]:
    """Yield the routes of the models that a server lists, as KServe, Triton and MLServer have them."""
    found = _json(listed)
    models = found.get("models") if isinstance(found, dict) else found
    for model in models if isinstance(models, list) else []:
        name = model.get("name") if isinstance(model, dict) else model
        if isinstance(name, str) and _MODEL_NAME.fullmatch(name):
            yield Route(path=f"/v2/models/{name}/infer", is_v2=True)
            yield Route(path=f"/v1/models/{name}:predict")


def tensors_of(metadata: bytes) -> tuple[Tensor, ...]:
    """Return the inputs that a model's metadata names, by the Open Inference Protocol."""
    inputs = _at(_json(metadata), "inputs")
    found = [one for one in inputs if isinstance(one, dict)] if isinstance(inputs, list) else []
    return tuple(
        Tensor(name=one["name"], datatype=one["datatype"], shape=tuple(one["shape"]))
        for one in found
        if isinstance(one.get("name"), str)
        and isinstance(one.get("datatype"), str)
        and isinstance(one.get("shape"), list)
        and all(isinstance(size, int) for size in one["shape"])
    )


def described(description: bytes) -> tuple[list[Route], list[str]]:
    """Return what an OpenAPI description names: routes that take a POST, and other paths; none with an open part."""
    found = _json(description)
    paths = found.get("paths") if isinstance(found, dict) else None
    posts: list[Route] = []
    others: list[str] = []
    for path, methods in paths.items() if isinstance(paths, dict) else ():
        if not path.startswith("/") or _PLACE.search(path):
            continue
        if isinstance(methods, dict) and "post" in methods:
            posts.append(_route(path, methods["post"], found))
        else:
            others.append(path)
    return posts, others


def _route(path: str, operation: object, whole: object) -> Route:
    content = _at(operation, "requestBody", "content")
    kinds = content if isinstance(content, dict) else {}
    keys, _ = _names(_at(kinds.get("application/json"), "schema"), whole)
    _, files = _names(_at(kinds.get("multipart/form-data"), "schema"), whole)
    return Route(path=path, keys=keys, files=files)


def _names(schema: object, whole: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names that may hold records, and those that are files."""
    properties = _at(_resolved(schema, whole), "properties")
    rows, files = [], []
    for name, about in properties.items() if isinstance(properties, dict) else ():
        one = _resolved(about, whole)
        kind = one.get("type") if isinstance(one, dict) else None
        if kind == "string":
            files.append(name)
        elif kind not in ("number", "integer", "boolean"):
            rows.append(name)
    return tuple(rows), tuple(files)


def _resolved(schema: object, whole: object) -> object:
    """Follow one reference within the description."""
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    return _at(whole, *reference.removeprefix("#/").split("/")) if isinstance(reference, str) else schema


def _at(found: object, *names: str) -> object:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _json(content: bytes) -> Any:  # noqa: ANN401 - JSON is whatever it is
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
