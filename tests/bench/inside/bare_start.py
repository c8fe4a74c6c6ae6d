"""The least that a container with TensorFlow has to do: import it and load the model; runs inside the reference image.

Prints the moment at which it was done, in seconds since 1970.
"""

import json
import time

import tensorflow as tf

loaded = tf.saved_model.load("/app/model/1")
print(json.dumps({"done_at_s": time.time()}))  # noqa: T201 - its output
