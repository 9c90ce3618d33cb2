"""Work in other processes, which Ctrl-C stops at once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from multiprocessing.resource_tracker import ensure_running
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
            with interrupts_wait(), main_unseen():
                results = pool.map(function, *columns, chunksize=max(1, len(columns[0]) // (8 * jobs)))
            yield from results
        except BaseException:
            for process in set(active_children()) - others:
                process.terminate()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def main_unseen() -> Iterator[None]:
    """Processes that are spawned meanwhile do not run the user's script again: they need nothing of it."""
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; processes that start within never see it, as their parent ends them."""
    ensure_running()  # which lets interrupts through again when it starts its process, so not within
    caught: list[int] = []
    in_main = current_thread() is main_thread()
    before = signal.signal(signal.SIGINT, lambda number, _: caught.append(number)) if in_main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main:
            signal.signal(signal.SIGINT, before)
    if caught:
        raise KeyboardInterrupt
