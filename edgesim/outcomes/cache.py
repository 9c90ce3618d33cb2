"""Outcomes that were executed once, kept in the user's cache directory; read without torch.

A file's name is a digest of everything that its content depends on: weights, data, preprocessing, path, the source
text of the modules that execute, and the versions of the libraries that they call.
"""

from __future__ import annotations

import os
import platform
import warnings
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import numpy as np

import edgesim
from edgesim.errors import InputError
from edgesim.outcomes.files import Arrays, CorruptFile, read_arrays, write_arrays
from edgesim.outcomes.path import Path, canonical, format_path, with_prefixes
from edgesim.outcomes.table import Outcomes, OutcomeTable, arrays_of, table_of

if TYPE_CHECKING:
    from edgesim.outcomes.execute import Executed

SOURCES = (
    "codecs/*.py",
    "data/images.py",
    "models/backbones/*.py",
    "models/branches/*.py",
    "models/multi_exit.py",
    "models/state.py",
    "outcomes/execute.py",
    "outcomes/scores.py",
)
LIBRARIES = ("torch", "timm", "numpy", "pillow")


@dataclass(frozen=True)
class Origin:
    """What the answers of a model depend on, besides the path and the code.

    name: of the model in the scenario, for messages; it is not part of the key.  exits: blocks before each.
    weights: digest of architecture and weights.  data: digest of the images and labels.  split: of the data.
    preprocessing: how images are prepared, e.g. ``repr`` of :class:`edgesim.data.images.Preprocess`.
    """

    name: str
    exits: tuple[int, ...]
    weights: str
    data: str
    split: str
    preprocessing: str

    def note(self) -> dict[str, object]:
        """Everything that is part of the key, as JSON holds it."""
        return {**{key: value for key, value in asdict(self).items() if key != "name"}, "exits": list(self.exits)}


def cache_folder() -> FilePath:
    """``$EDGESIM_CACHE``, or edgesim's folder in the user's cache directory."""
    if chosen := os.environ.get("EDGESIM_CACHE"):
        return FilePath(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("edgesim")


@cache
def code_hash(package: FilePath = FilePath(edgesim.__file__).parent) -> str:
    """A digest of the source text of the modules that make outcomes, and of the versions of their libraries."""
    digest = sha256(f"{platform.machine()} zlib {zlib.ZLIB_RUNTIME_VERSION}".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}".encode())
    for path in sorted(path for pattern in SOURCES for path in package.glob(pattern)):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class OutcomeCache:
    """The files of one origin."""

    def __init__(self, origin: Origin, folder: FilePath | None = None, code: str | None = None) -> None:
        self.origin = origin
        self.folder = (folder or cache_folder()) / "outcomes"
        self.code = code or code_hash()

    def outcomes(self, paths: Iterable[Path], execute: Callable[[list[Path]], Executed]) -> Outcomes:
        """Answers and payload bytes for ``paths``, all their beginnings and the local path.

        execute: called with the paths that are not in the cache, if there are any; what it finds is kept.  A corrupt
        file is warned of and made again.  Raises InputError where the cache cannot be written.
        """
        wanted = with_prefixes(paths)
        tables = {path: self._table(path) for path in dict.fromkeys(map(canonical, wanted))}
        payloads = {path: self._payload(path) for path in wanted if path}
        missing = [path for path in wanted if tables[canonical(path)] is None or (path and payloads[path] is None)]
        if missing:
            self._prepare()
            made = execute(missing)
            self._keep(made)
            tables.update(made.tables)
            payloads.update(made.payloads)
        origin = self.origin
        return Outcomes(origin.name, origin.split, "executed", origin.exits, tables, payloads)  # type: ignore[arg-type]

    def file(self, what: str, path: Path) -> FilePath:
        """Where the ``table`` or ``payload`` of a path is kept."""
        text = repr((what, sorted(self.origin.note().items()), self.code, path))
        digest = sha256(text.encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest[2:34]}.npz"

    def _note(self, what: str, path: Path) -> dict[str, object]:
        return {**self.origin.note(), "what": what, "path": format_path(path), "code": self.code}

    def _read(self, what: str, path: Path) -> Arrays | None:
        file = self.file(what, path)
        try:
            arrays, note = read_arrays(file)
            if note != self._note(what, path):
                raise CorruptFile(f"{file} is corrupt: it holds another {what}")
            return arrays
        except (FileNotFoundError, NotADirectoryError):
            return None
        except CorruptFile as error:
            warnings.warn(f"{error}; it is made again", stacklevel=2)
            return None

    def _table(self, path: Path) -> OutcomeTable | None:
        arrays = self._read("table", path)
        return None if arrays is None else table_of(arrays)

    def _payload(self, path: Path) -> np.ndarray | None:
        arrays = self._read("payload", path)
        return None if arrays is None else arrays["bytes"]

    def _keep(self, made: Executed) -> None:
        for path, table in made.tables.items():
            write_arrays(self.file("table", path), arrays_of(table), self._note("table", path))
        for path, sizes in made.payloads.items():
            write_arrays(self.file("payload", path), {"bytes": sizes}, self._note("payload", path))

    def _prepare(self) -> None:
        """Find out before hours of execution, not after, that nothing can be kept."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot keep outcomes in {self.folder} ({error}); set EDGESIM_CACHE") from error
