"""Temperature scaling of an exit's confidence (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017)."""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from edgesim.models.reliability import BINS, reliability

TEMPERATURES = (0.02, 50.0)


class Calibrated(NamedTuple):
    """An exit's temperature, and what it does to the expected calibration error and to the NLL (nats)."""

    temperature: float
    ece_before: float
    ece_after: float
    nll_before: float
    nll_after: float


def calibrate(
    logits: np.ndarray, labels: np.ndarray, measured_logits: np.ndarray, measured_labels: np.ndarray
) -> Calibrated:
    """Fit the temperature of one exit on (validation) logits (N, classes), and measure it on others."""
    temperature = fit_temperature(logits, labels)
    scaled = measured_logits / temperature
    return Calibrated(
        temperature,
        calibration_error(measured_logits, measured_labels),
        calibration_error(scaled, measured_labels),
        negative_log_likelihood(measured_logits, measured_labels),
        negative_log_likelihood(scaled, measured_labels),
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The T in 0.02 .. 50 for which logits / T have the least NLL; logits: (N, classes), labels: (N,).

    Where every answer is right there is no least one: T is then at the lower end.
    """
    # Over log T the NLL has a single minimum too: it is convex in 1 / T.
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits / exp(log_t), labels),
        bounds=(log(TEMPERATURES[0]), log(TEMPERATURES[1])),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return exp(found.x)


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean over samples, in nats.  logits: (N, classes), labels: (N,)."""
    return -float(log_softmax(logits.astype(np.float64), axis=-1)[np.arange(len(labels)), labels].mean())


def calibration_error(logits: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error of logits (N, classes); the confidence is the largest probability."""
    probabilities = np.exp(log_softmax(logits.astype(np.float64), axis=-1))
    return reliability(probabilities.max(-1), logits.argmax(-1) == labels, bins).calibration_error
