"""The application that the server serves."""

from app import create_app
from model_client import ModelClient

application = create_app(ModelClient.start())
