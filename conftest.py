"""The plugin is named here too, so that pytest finds it in a clone that nobody installed."""

pytest_plugins = ["harness.plugin"]
