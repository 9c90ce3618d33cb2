"""Work in other processes, which Ctrl-C stops at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from threading import current_thread, main_thread
from typing import Any, TypeVar

Result = TypeVar("Result")


def map_in_processes(
    jobs: int,
    function: Callable[..., Result],
    columns: Sequence[Sequence[Any]],
    initializer: Callable[..., None],
    arguments: tuple[Any, ...],
) -> Iterator[Result]:
    """``map(function, *columns)`` by ``jobs`` processes, results in order; each process calls ``initializer`` first.

    Whatever ends the iteration early, an exception or closing it, ends the processes before it goes on.
    """
    others = set(active_children())
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=initializer, initargs=arguments) as pool:
        try:
            with _ignoring_interrupts():
                results = pool.map(function, *columns, chunksize=max(1, len(columns[0]) // (8 * jobs)))
            yield from results
        except BaseException:
            for process in set(active_children()) - others:
                process.terminate()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Processes that start within never see Ctrl-C: it is the parent who ends them."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
