"""A local endpoint that speaks SageMaker Runtime: `boto3.client("sagemaker-runtime", endpoint_url=...)` invokes it.

    with Endpoint.up(load_config(Path("endpoint.toml"))) as endpoint:
        endpoint.add_variant(VariantConfig(name="green", image="price:1.5", weight=0))
        endpoint.set_weights({"blue": 90, "green": 10})
        print(endpoint.url, endpoint.tallies()["green"].errors)
        endpoint.remove_variant("blue")

Each method may be called from any thread; an endpoint is taken down by `down()`, and by its context.
"""

from harness.release.endpoint.config import (
    ConfigInvalid,
    EndpointConfig,
    Health,
    ShadowConfig,
    VariantConfig,
    load_config,
)
from harness.release.endpoint.endpoint import Endpoint
from harness.release.endpoint.retrying import Retrying
from harness.release.endpoint.supply import CannotServe
from harness.release.endpoint.tally import Invocation, Outcome, Tally

__all__ = [
    "CannotServe",
    "ConfigInvalid",
    "Endpoint",
    "EndpointConfig",
    "Health",
    "Invocation",
    "Outcome",
    "Retrying",
    "ShadowConfig",
    "Tally",
    "VariantConfig",
    "load_config",
]
