"""Check how the container was started, then become the server."""

import os
import sys

EX_USAGE = 64


def refuse(msg: str) -> None:
    """End with one sentence on standard error and the exit status for wrong usage."""
    sys.stderr.write(msg + "\n")
    raise SystemExit(EX_USAGE)


def main() -> None:
    """Refuse what cannot be served, and replace this process with the server, which then is the container's first."""
    if sys.argv[1:] not in ([], ["serve"]):
        refuse(f"unknown argument {sys.argv[1]!r}: start this image with `serve` or with no argument")
    port = os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004 - ports end there
        refuse(f"SAGEMAKER_BIND_TO_PORT is {port!r}: it must be a whole number from 1 to 65535")
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "/app/gunicorn_conf.py", "wsgi:application"])  # noqa: S606


if __name__ == "__main__":
    main()
