"""The images of a scenario."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edgesim.scenario.files import InputFolder
from edgesim.scenario.spec import Spec


class ShippedData(Spec):
    """The Fashion-MNIST images that ship with edgesim: 2,000 of the test set, 2,000 for validation."""

    source: Literal["shipped"] = Field(default="shipped", description="The images that ship with edgesim.")


class FashionMnistData(Spec):
    """All of Fashion-MNIST, from the standard idx files."""

    source: Literal["fashion-mnist"] = Field(description="Fashion-MNIST from its idx files.")
    folder: InputFolder = Field(description="Path of the folder with the idx files.")


class ScenesData(Spec):
    """Fashion scenes: 64 px images composed from Fashion-MNIST's items, to be classified or counted."""

    source: Literal["scenes"] = Field(description="Fashion scenes.")
    task: Literal["class", "count"] = Field(description="Name the largest item, or count the items (regression).")
    folder: InputFolder | None = Field(
        default=None,
        description="Path of the folder with Fashion-MNIST's idx files, from which all scenes are made once; "
        "without it the scenes that ship with edgesim: 1,000 of the test set, 1,000 for validation.",
    )


class ImageFolderData(Spec):
    """Any images: a folder per class, with PNG or JPEG files in it."""

    source: Literal["image-folder"] = Field(description="A folder of images.")
    folder: InputFolder = Field(
        description="Path of the folder; where it has train, validation and test folders, each has those of the "
        "classes, else every tenth image or so is for validation, and as many for testing."
    )
    size: int = Field(ge=1, description="Side in pixels of the square to which every image is resized.")
    channels: Literal[1, 3] = Field(default=3, description="1 for grey, 3 for RGB.")


class NoData(Spec):
    """No images: synthetic models and imported outcomes need none."""

    source: Literal["none"] = Field(description="No images (synthetic models or imported outcomes only).")


Data = Annotated[ShippedData | FashionMnistData | ScenesData | ImageFolderData | NoData, Field(discriminator="source")]
