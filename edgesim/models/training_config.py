"""What is trained, on what, and how: the YAML file of ``edgesim train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails

from edgesim.errors import InputError
from edgesim.models.geometry import Count, Geometry, Shape
from edgesim.models.recipe import Recipe
from edgesim.scenario.document import Document, shown
from edgesim.scenario.reader import parse


def _folder(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not info.context:
        return value
    path = info.context["folder"] / Path(value).expanduser()
    if not path.is_dir():
        raise ValueError(f"found {value!r}, but there is no such folder ({path})")
    return path


class TrainingData(Shape):
    """Fashion-MNIST from its idx files."""

    source: Literal["fashion-mnist"]
    folder: Annotated[Path, BeforeValidator(_folder)] = Field(description="of the idx files; from the config's folder")


class TrainingConfig(Shape):
    """A model to be trained."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    purpose: str = Field(description="what the model is for, as its card says it")
    data: TrainingData
    output: str = Field(min_length=1, description="folder of checkpoint and log, from the current folder")
    threads: Count = Field(1, description="of torch; the weights depend on it in their last bits")
    geometry: Geometry
    recipe: Recipe

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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is no text in UTF-8") from None
    document = parse(text, str(path))
    try:
        return TrainingConfig.model_validate(document.data, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise InputError("\n".join(_line(document, details) for details in error.errors())) from None


def _line(document: Document, details: ErrorDetails) -> str:
    match details["type"]:
        case "missing":
            message = "missing key"
        case "extra_forbidden":
            message = f"unknown key; allowed: {', '.join(_keys(details['loc'][:-1]))}"
        case "value_error":
            message = str(details["ctx"]["error"])
        case _:
            allowed = details["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            message = f"found {shown(details['input'])}, allowed: {allowed}"
    return document.error(details["loc"], message)


def _keys(loc: tuple[str | int, ...]) -> list[str]:
    part: type[BaseModel] = TrainingConfig
    for name in loc:
        part = part.model_fields[str(name)].annotation  # type: ignore[assignment]
    return list(part.model_fields)
