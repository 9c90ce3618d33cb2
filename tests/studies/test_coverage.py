"""The interval over replications holds the truth as often as it says, in the simulator's own M/M/1."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.engine.request import SERVER_WAIT
from edgesim.results.statistics import t_interval
from edgesim.studies.theory import wait_in_mg1_s
from edgesim.studies.validation import built, measured, queues

SEED = 20_240_611
LOAD, MEAN_S = 0.5, 0.010
REPETITIONS, REPLICATIONS = 1000, 10
WARMUP, COUNTED = 50, 400
"""Requests.  At load 0.5 a queue forgets its empty start within a few requests."""


@pytest.mark.slow
def test_the_interval_covers_the_mean_wait(capsys: pytest.CaptureFixture[str]) -> None:
    rate_hz = LOAD / MEAN_S
    config = next(queues(COUNTED)).config
    config["devices"]["source"]["arrivals"] = {"process": "poisson", "rate_hz": rate_hz}
    wanted = WARMUP + COUNTED
    scenario, assets = built(config | {"duration_s": (wanted + 6 * np.sqrt(wanted)) / rate_hz}, SEED)

    def mean_s(replication: int) -> float:
        waits_s = measured(
            scenario, assets, replication, lambda request: request.sums[SERVER_WAIT], range(WARMUP, wanted)
        )
        assert len(waits_s) == COUNTED
        return float(np.mean([wait_s for _, wait_s in waits_s]))

    means_s = np.array([mean_s(number) for number in range(REPETITIONS * REPLICATIONS)])
    truth_s = wait_in_mg1_s(rate_hz, MEAN_S, 1)
    intervals = [t_interval(each) for each in means_s.reshape(REPETITIONS, REPLICATIONS)]
    coverage = np.mean([low <= truth_s <= high for _, low, high in intervals])
    with capsys.disabled():
        print(
            f"\ncoverage of the 95 % interval of {REPLICATIONS} replications of {COUNTED} waits, M/M/1 at load {LOAD}: "
            f"{coverage:.3f} over {REPETITIONS:,} repetitions; mean wait {means_s.mean():.6f} s, theory {truth_s:.6f} s"
        )
    assert 0.92 <= coverage <= 0.98
    assert abs(means_s.mean() - truth_s) < 3.3 * means_s.std(ddof=1) / np.sqrt(len(means_s))
