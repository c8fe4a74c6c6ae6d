"""The application that the server serves."""

from model_client import ModelClient

model = ModelClient.start()

from app import create_app  # noqa: E402 - the model loads meanwhile, in its own process

application = create_app(model)
