"""What is trained, on what, and how: the YAML file of ``edgesim train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails

from edgesim.errors import InputError
from edgesim.models.geometry import Count, Geometry, Shape
from edgesim.models.recipe import Recipe
from edgesim.scenario.document import Document, shown
from edgesim.scenario.reader import read


def _folder(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not info.context:
        return value
    path = info.context["folder"] / Path(value).expanduser()
    if not path.is_dir():
        raise ValueError(f"found {value!r}, but there is no such folder ({path})")
    return path


Folder = Annotated[Path, BeforeValidator(_folder)]


class FashionMnist(Shape):
    """Fashion-MNIST from its idx files."""

    source: Literal["fashion-mnist"]
    folder: Folder = Field(description="of the idx files; from the config's folder")


class Scenes(Shape):
    """Fashion scenes, made once from Fashion-MNIST's idx files."""

    source: Literal["scenes"]
    task: Literal["class", "count"] = Field(description="name the largest item, or count the items (regression)")
    folder: Folder = Field(description="of the idx files; from the config's folder")


class ImageFolder(Shape):
    """A folder of images by class (:mod:`edgesim.data.folder`)."""

    source: Literal["image-folder"]
    folder: Folder = Field(description="of the images; from the config's folder")
    size: Count = Field(description="side in pixels of the square to which every image is resized")
    channels: Literal[1, 3] = Field(3, description="1 for grey, 3 for RGB")


TrainingData = Annotated[FashionMnist | Scenes | ImageFolder, Field(discriminator="source")]
TAGS = ("type", "source")
"""Keys that say which of several forms a part of the config has."""


class TrainingConfig(Shape):
    """A model to be trained."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    purpose: str = Field(description="what the model is for, as its card says it")
    note: str = Field("", description="what else its card must say, such as how a training was not as written here")
    data: TrainingData
    output: str = Field(min_length=1, description="folder of checkpoint and log, from the current folder")
    start_from: str | None = Field(None, description="a model of the zoo with the same backbone, whose weights it gets")
    threads: Count = Field(1, description="of torch; the weights depend on it in their last bits")
    geometry: Geometry
    recipe: Recipe

    @model_validator(mode="after")
    def _frozen_is_trained(self) -> TrainingConfig:
        if self.recipe.strategy == "classifier_wise" and self.start_from is None:
            raise ValueError("start_from: classifier_wise trains the branches of a trained backbone; name its model")
        return self

    @model_validator(mode="after")
    def _squares_fit(self) -> TrainingConfig:
        size = self.geometry.backbone.img_size
        if self.recipe.erase_size > size:
            raise ValueError(f"recipe.erase_size {self.recipe.erase_size} is larger than the images ({size} pixels)")
        return self


def load_training_config(path: Path) -> TrainingConfig:
    """Read a training's YAML file.

    Raises InputError naming file, line and key, what was found and what is allowed.
    """
    document = read(path)
    try:
        return TrainingConfig.model_validate(document.data, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise InputError("\n".join(_line(document, details) for details in error.errors())) from None


def _line(document: Document, details: ErrorDetails) -> str:
    key = _without_tags(details["loc"], document.data)
    match details["type"]:
        case "missing":
            message = "missing key"
        case "extra_forbidden":
            message = f"unknown key; allowed: {', '.join(_keys(details['loc'][:-1]))}"
        case "value_error":
            message = str(details["ctx"]["error"])
        case "union_tag_invalid":
            key = (*key, details["ctx"]["discriminator"].strip("'"))
            message = f"found {details['ctx']['tag']!r} (text), allowed: {details['ctx']['expected_tags']}"
        case "union_tag_not_found":
            key = (*key, details["ctx"]["discriminator"].strip("'"))
            message = "missing key"
        case _:
            allowed = details["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            message = f"found {shown(details['input'])}, allowed: {allowed}"
    return document.error(key, message)


def _without_tags(loc: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    """pydantic's location without the tags of unions, which no user wrote."""
    key: list[str | int] = []
    for position, step in enumerate(loc):
        if isinstance(data, list) if isinstance(step, int) else isinstance(data, dict) and step in data:
            key.append(step)
            data = data[step]
        elif position == len(loc) - 1 and isinstance(data, dict) and step not in map(data.get, TAGS):
            key.append(step)  # a missing key
    return tuple(key)


def _keys(loc: tuple[str | int, ...]) -> list[str]:
    part: Any = TrainingConfig
    for step in loc:
        if isinstance(part, type) and issubclass(part, BaseModel):
            part = part.model_fields[str(step)].annotation
        elif isinstance(step, int):  # tuple[Annotated[union, ...], ...]
            part = get_args(get_args(part)[0])[0]
        else:
            part = next(kind for kind in get_args(part) if step in _tags(kind))
    return list(part.model_fields)


def _tags(kind: type[BaseModel]) -> tuple[str, ...]:
    """What the tag of this form may be."""
    return next(get_args(kind.model_fields[tag].annotation) for tag in TAGS if tag in kind.model_fields)
