"""Fronts: defects of HTTP itself, each a small server before a good container."""

from __future__ import annotations

import importlib.util
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.detection.layers import DEFECTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# Fronts start in several threads, and a module is in sys.modules before it is whole.
_ONE_LOADS = threading.Lock()


@contextmanager
def start_front(name: str, upstream_url: str) -> Iterator[str]:
    """Serve what a URL serves, spoiled by one defect, and yield the URL to find it at."""
    behind = urlsplit(upstream_url)
    with _ONE_LOADS:
        host = _module("front_host", DEFECTS / "front_host.py")
        defect = _module(f"fronts.{name}", DEFECTS / "front" / f"{name}.py")
    listener = host.serve(defect, (behind.hostname, behind.port))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{behind.path.rstrip('/')}"
    finally:
        listener.close()


def _module(name: str, path: Path) -> Any:  # noqa: ANN401 - a defect has no type of its own
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
