"""How the server runs: one worker, whose connections are greenlets; it holds no model, so one is enough."""

import os

bind = f"0.0.0.0:{os.environ.get('SAGEMAKER_BIND_TO_PORT', '8080')}"
workers = 1
worker_class = "worker.ConnectionWorker"
backlog = 1024
# A stuck worker is replaced. Longer than any pause that we mean to sleep through, see worker.py.
timeout = 90
graceful_timeout = 25
keepalive = 65
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
forwarded_allow_ips = ""
forwarder_headers = ""
control_socket_disable = True
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "WARNING", "handlers": ["lines"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["lines"], "propagate": False}},
    "formatters": {"line": {"()": "json_lines.JsonLine"}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
}
