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


class NoData(Spec):
    """No images: synthetic models and imported outcomes need none."""

    source: Literal["none"] = Field(description="No images (synthetic models or imported outcomes only).")


Data = Annotated[ShippedData | FashionMnistData | NoData, Field(discriminator="source")]
