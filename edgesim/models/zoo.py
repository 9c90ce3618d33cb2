"""The models that ship inside the package, each a folder ``zoo/NAME``.

``model.json`` is the card for machines (readable without torch), ``card.md`` the one for people,
``weights.safetensors`` the weights, ``training.yaml`` and ``log.csv`` how they came about.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from edgesim.errors import InputError, closest
from edgesim.models.geometry import Geometry, Shape
from edgesim.models.state import TensorSpec
from edgesim.models.weights import load_weights, weights_hash

if TYPE_CHECKING:
    from edgesim.models.multi_exit import MultiExit

ZOO = Path(__file__).with_name("zoo")
CARD, WEIGHTS = "model.json", "weights.safetensors"


class Calibration(Shape):
    """An exit's temperature (Guo et al. 2017), fitted on validation images, and what it does to the test images.

    ece: expected calibration error; nll: negative log-likelihood in nats.
    """

    temperature: float
    ece_before: float
    ece_after: float
    nll_before: float
    nll_after: float


class ModelCard(Shape):
    """What is to be known of a shipped model before torch is imported."""

    format: Literal[2] = 2
    name: str
    geometry: Geometry
    num_blocks: int
    exits: tuple[int, ...] = Field(description="blocks run before each exit")
    cuts: tuple[tuple[TensorSpec, ...], ...] = Field(description="what crosses at cuts 0 .. num_blocks")
    task: Literal["classification", "regression"]
    classes: tuple[str, ...] = Field(description="none for regression")
    input_size: tuple[int, int, int] = Field(description="channels, height, width")
    mean: tuple[float, ...] = Field(description="per channel, subtracted from pixels that were scaled to 0..1")
    std: tuple[float, ...] = Field(description="by which they are then divided")
    data: Literal["fashion-mnist", "scenes-class", "scenes-count", "image-folder"]
    test_images: int
    parameters: int
    macs: tuple[int, ...] = Field(description="from the image to each exit, branch included")
    scores: tuple[float, ...] = Field(
        description="of each exit: share right, or mean absolute error, of all test images"
    )
    shipped_scores: tuple[float, ...] = Field(description="the same of the test images that ship; empty: none do")
    calibration: tuple[Calibration, ...] = Field(description="of each exit; none for regression")
    weights_hash: str


def zoo_names(zoo: Path = ZOO) -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(sorted(path.parent.name for path in zoo.glob(f"*/{CARD}")))


def model_card(name: str, zoo: Path = ZOO) -> ModelCard:
    """The card of a shipped model.  Raises InputError for an unknown name or a damaged card."""
    names = zoo_names(zoo)
    if name not in names:
        has = ", ".join(names) or "none"
        raise InputError(f"no model {name!r} in the zoo, which has: {has}{closest(name, names)}")
    path = zoo / name / CARD
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise InputError(f"{path}: {where}: {first['msg']}") from None


def load(name: str, zoo: Path = ZOO) -> MultiExit:
    """A shipped model with its trained weights, ready to answer (``eval`` mode).

    Raises InputError naming the file where card or weights are missing, damaged or do not fit together.
    """
    from edgesim.models.build import build

    card = model_card(name, zoo)
    path = zoo / name / WEIGHTS
    if (found := weights_hash(path)) != card.weights_hash:
        raise InputError(f"{path}: damaged or of another version: hash {found}, {CARD} says {card.weights_hash}")
    model = build(card.geometry)
    load_weights(model, path)
    return model.eval()
