"""Serve the reference container's SavedModel with mlflow's scoring server; runs inside the reference image.

`python mlflow_server.py PORT`: writes an mlflow model that holds the SavedModel, and becomes mlflow's own server with
one worker. The model takes 60 records and does nothing but what the model needs: no data rule is checked.
"""

import os
import shlex
import shutil
import sys

import mlflow
import pandas as pd
from mlflow.pyfunc import scoring_server

HOME = "/tmp/mlflow-model"  # noqa: S108 - a container of its own
SAVED_MODEL = "/app/model/1"


class NextSecond(mlflow.pyfunc.PythonModel):
    """60 records -> the price of the next second."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Load the SavedModel as the reference container does."""
        import tensorflow as tf  # noqa: PLC0415 - it is loaded where it is served

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.model = tf.saved_model.load(context.artifacts["model"])
        self.function = self.model.signatures["serving_default"]
        self.constant = tf.constant

    def predict(self, context: object, model_input: pd.DataFrame, params: object = None) -> list[float]:  # noqa: ARG002 - mlflow's signature
        """Predict from the records' highs, lows and closes."""
        highs, lows, closes = (model_input[f"price_{name}"].to_numpy(float) for name in ("high", "low", "close"))
        last = closes[-1]
        earlier, middles = closes[:-1] / last - 1.0, (highs + lows) / (2.0 * last) - 1.0
        row = self.constant([[*earlier.tolist(), *middles.tolist()]], "float32")
        correction = float(self.function(features=row)["correction"].numpy()[0])
        return [last * (1.0 + min(max(correction, -0.05), 0.05))]


def main() -> None:
    """Write the model, anew where the container was started before, and start the server's own command line."""
    shutil.rmtree(HOME, ignore_errors=True)
    mlflow.pyfunc.save_model(HOME, python_model=__file__, artifacts={"model": SAVED_MODEL}, pip_requirements=[])
    command, environment = scoring_server.get_cmd(HOME, port=int(sys.argv[1]), host="0.0.0.0", nworkers=1)  # noqa: S104 - a container's port is published by who runs it
    program, *arguments = shlex.split(command)
    os.execve(sys.executable, [sys.executable, "-m", program, *arguments], environment)  # noqa: S606 - it becomes the server


mlflow.models.set_model(NextSecond())
if __name__ == "__main__":
    main()
