"""The outcomes of a scenario's model, wherever they come from; torch only where something must be executed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from edgesim.data.load import Split, load_data
from edgesim.errors import InputError
from edgesim.models import zoo
from edgesim.models.state import TensorSpec
from edgesim.models.weights import weights_hash
from edgesim.outcomes.cache import Origin, OutcomeCache
from edgesim.outcomes.importing import load_imported
from edgesim.outcomes.path import Path
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.outcomes.table import Outcomes

if TYPE_CHECKING:
    from edgesim.outcomes.execute import Executed
    from edgesim.outcomes.live import LiveExecutor
    from edgesim.scenario.data import Data
    from edgesim.scenario.models import Model, TimmModel, ZooModel


def obtain(
    name: str,
    model: Model,
    data: Data,
    split: Split,
    paths: Iterable[Path],
    exits: tuple[int, ...],
    cuts: Sequence[Sequence[TensorSpec]],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcomes:
    """Answers and payload bytes of a scenario's ``model`` along ``paths``.

    exits: blocks before each exit, and cuts: the tensors at each, as the model's profile has them.  seed: of synthetic
    answers.  progress: (done, total) in images x blocks, called while the model is executed.
    Raises InputError where model, data or profile do not fit together, or a file is missing or damaged.
    """
    if model.source == "synthetic":
        shape = (model.exits, model.accuracy, model.correlation, model.samples, model.state_bytes)
        return synthetic_outcomes(name, *shape, paths, seed, split)
    if model.source == "outcomes":
        imported = load_imported(name, FilePath(model.folder), split, paths, cuts)
        _same_exits(name, imported.exits, exits)
        return imported
    dataset = load_data(data, split)
    origin = Origin(name, exits, weights_digest(model), dataset.hash, split, _preprocessing_key(model))

    def execute_missing(missing: list[Path]) -> Executed:
        from edgesim.models.build import create_model, preprocessing
        from edgesim.outcomes.execute import execute

        made = create_model(model, dataset.outputs)
        _same_exits(name, made.exits, exits)
        return execute(made, dataset, preprocessing(model), missing, progress)

    return replace(OutcomeCache(origin).outcomes(paths, execute_missing), missed_error=dataset.missed_error)


def live_executor(model: ZooModel | TimmModel, data: Data, split: Split) -> LiveExecutor:
    """Executes a scenario's model inside the simulation."""
    from edgesim.models.build import create_model, preprocessing
    from edgesim.outcomes.live import LiveExecutor

    dataset = load_data(data, split)
    return LiveExecutor(create_model(model, dataset.outputs), dataset, preprocessing(model))


def weights_digest(model: ZooModel | TimmModel) -> str:
    """A digest of architecture and weights.  timm's own go by their name, as timm's version is in the code hash."""
    if model.source == "zoo":
        card = zoo.model_card(model.name)
        parts = [card.geometry.model_dump_json(), weights_hash(zoo.ZOO / model.name / zoo.WEIGHTS)]
    else:
        file = weights_hash(model.weights) if model.weights else f"pretrained {model.pretrained}"
        parts = [model.variant, repr(tuple(model.exits)), file]
    return sha256("\n".join([model.source, *parts]).encode()).hexdigest()[:16]


def _preprocessing_key(model: ZooModel | TimmModel) -> str:
    if model.source == "timm":
        return f"timm's for {model.name}"
    card = zoo.model_card(model.name)
    return repr((card.mean, card.std, card.input_size))


def _same_exits(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise InputError(f"model {name!r} has exits after {found} blocks, its profile after {expected}")
