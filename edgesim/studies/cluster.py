"""Dask workers for a study: some on this machine, or those of a scheduler that runs already."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import edgesim
from edgesim.errors import InputError
from edgesim.studies.processes import interrupts_wait, main_unseen

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT_S = 10.0


@contextmanager
def workers(jobs: int, scheduler: str | None) -> Iterator[Client]:
    """A client of ``jobs`` local workers, or of the scheduler at an address such as ``tcp://10.0.0.1:8786``.

    Raises InputError where the scheduler cannot be reached, has no workers, or where a worker has not the edgesim
    that this process has.
    """
    if scheduler is None:
        with _local(jobs) as client:
            yield client
        return
    with _remote(scheduler) as client:
        _check_workers(client, scheduler)
        yield client


@contextmanager
def _local(jobs: int) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    with main_unseen():  # to the end, as a worker that dies is started again
        with interrupts_wait():
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
        try:
            with Client(cluster, set_as_default=False) as client:
                yield client
        finally:
            cluster.close(timeout=5)


@contextmanager
def _remote(address: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(address, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {address}: no Dask scheduler answers there: {error}") from error
    try:
        yield client
    finally:
        client.close(timeout=5)


def _check_workers(client: Client, address: str) -> None:
    found = client.run(eval, "__import__('edgesim').__version__", on_error="return")  # nothing here needs edgesim there
    if not found:
        raise InputError(f"--scheduler {address}: it has no workers; start some: dask worker {address}")
    for worker, answer in found.items():
        if isinstance(answer, Exception):
            raise InputError(f"--scheduler {address}: the worker {worker} has no edgesim: {answer}")
        if answer != edgesim.__version__:
            raise InputError(
                f"--scheduler {address}: the worker {worker} has edgesim {answer}, allowed: {edgesim.__version__}"
            )
