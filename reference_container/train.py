"""Train the model from the seeded generator alone, the same weights each time: `python train.py --output DIR`."""

import argparse
import os
import sys
from pathlib import Path

os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import numpy as np
import tensorflow as tf
from features import FEATURES, RECORDS, features

from harness.contract.series import Second, generate

SEED = 20_240_101
# Calm and wild, busy and nearly silent markets: (volatility, share of silent seconds).
MARKETS = ((2e-5, 0.0), (4e-5, 0.3), (1e-4, 0.5), (3e-5, 0.7), (2e-4, 0.7), (8e-4, 0.3), (6e-5, 0.85), (4e-5, 0.95))
SECONDS = 20_000
STRIDE = 4
HIDDEN = 8
DECAY = 3e-4
STEPS = 400
LEARNING_RATE = 0.01
# No correction exceeds this share of the last close, whatever the window.
BOUND = 2e-3


class Corrector(tf.Module):
    """[batch, FEATURES] -> [batch] corrections: a small network, in units of the window's own movement."""

    def __init__(self) -> None:
        """Draw the first weights."""
        super().__init__()
        draw = tf.random.Generator.from_seed(SEED)
        self.w1 = tf.Variable(draw.normal([FEATURES, HIDDEN], stddev=0.05), name="w1")
        self.b1 = tf.Variable(tf.zeros([HIDDEN]), name="b1")
        self.w2 = tf.Variable(draw.normal([HIDDEN, 1], stddev=0.05), name="w2")
        self.skip = tf.Variable(tf.zeros([FEATURES, 1]), name="skip")

    @tf.function(input_signature=[tf.TensorSpec([None, FEATURES], tf.float32, name="features")])
    def correction(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the correction as a share of the last close."""
        scale = movement(features)
        relative = features / scale
        raw = tf.tanh(relative @ self.w1 + self.b1) @ self.w2 + relative @ self.skip
        return {"correction": BOUND * tf.tanh(raw * scale / BOUND)[:, 0]}


def movement(features: tf.Tensor) -> tf.Tensor:
    """Return the closes' typical distance from the last one, [batch, 1]; never 0, a flat window has some too."""
    return tf.sqrt(tf.reduce_mean(tf.square(features[:, : RECORDS - 1]), axis=1, keepdims=True)) + 1e-7


def examples(series: list[Second], stride: int = STRIDE) -> tuple[np.ndarray, np.ndarray]:
    """Return features [n, FEATURES] and the next close's move as a share of the last close [n]."""
    rows, moves = [], []
    for end in range(RECORDS, len(series), stride):
        window = series[end - RECORDS : end]
        closes = [second.close for second in window]
        rows.append(features(highs=[s.high for s in window], lows=[s.low for s in window], closes=closes))
        moves.append(series[end].close / closes[-1] - 1.0)
    return np.array(rows, np.float32), np.array(moves, np.float32)


def training_set() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the examples of every market, and for each the root mean square of its market's moves."""
    parts = []
    for index, (volatility, silent_share) in enumerate(MARKETS):
        series = generate(seed=SEED + index, seconds=SECONDS, volatility=volatility, silent_share=silent_share)
        rows, moves = examples(series)
        parts.append((rows, moves, np.full_like(moves, np.sqrt(np.mean(moves**2)))))
    rows, moves, units = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(moves), np.concatenate(units)


def fit(model: Corrector, rows: np.ndarray, moves: np.ndarray, units: np.ndarray) -> None:
    """Fit by Adam on the whole set at once; at 1.0 the loss is that of persistence."""
    inputs, targets, scale = tf.constant(rows), tf.constant(moves), tf.constant(units)
    moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in model.trainable_variables]

    @tf.function
    def step(number: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square((model.correction(inputs)["correction"] - targets) / scale))
            size = tf.add_n([tf.reduce_sum(tf.square(variable)) for variable in model.trainable_variables])
            penalised = loss + DECAY * size
        gradients = tape.gradient(penalised, model.trainable_variables)
        for variable, gradient, (mean, square) in zip(model.trainable_variables, gradients, moments, strict=True):
            mean.assign(0.9 * mean + 0.1 * gradient)
            square.assign(0.999 * square + 0.001 * tf.square(gradient))
            unbiased = mean / (1 - 0.9**number), square / (1 - 0.999**number)
            rate = LEARNING_RATE * (1 - number / (STEPS + 1))
            variable.assign_sub(rate * unbiased[0] / (tf.sqrt(unbiased[1]) + 1e-8))
        return loss

    for number in range(1, STEPS + 1):
        loss = step(tf.constant(float(number)))
        if number % 100 == 0:
            print(f"step {number}: loss {float(loss):.6f}")  # noqa: T201 - a command reports on its progress


def main() -> None:
    """Train and save to the directory that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="directory of the SavedModel to write")
    output = parser.parse_args().output
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.random.set_seed(SEED)
    model = Corrector()
    fit(model, *training_set())
    tf.saved_model.save(model, str(output), signatures=model.correction)


if __name__ == "__main__":
    main()
