"""One measurement at a time."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgesim.errors import InputError

LOCK = Path(tempfile.gettempdir()) / "edgesim-profiling.lock"


@contextmanager
def exclusive(path: Path = LOCK) -> Iterator[None]:
    """Hold the machine's measuring lock; InputError where another process has it.

    The system releases it when its holder ends, however that happens.
    """
    try:
        file = path.open("a")
    except OSError as error:
        raise InputError(f"{path}: the measuring lock cannot be opened: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"another measurement runs on this machine (lock {path}): wait until it has ended"
            ) from None
        yield
