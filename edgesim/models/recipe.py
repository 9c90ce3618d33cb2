"""How to train: the numbers of a recipe, readable without torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Recipe(BaseModel):
    """The settings of a joint training of all exits with AdamW."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int = Field(ge=1)
    batch_size: int = Field(128, ge=2)
    learning_rate: float = Field(1e-3, gt=0, description="its peak; a linear rise, then a cosine down to zero")
    weight_decay: float = Field(0.05, ge=0)
    warmup_epochs: float = Field(1.0, ge=0, description="epochs of the linear rise")
    final_exit_weight: float = Field(2.0, gt=0, description="weight of the final exit's loss; the others weigh 1")
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    shift: int = Field(2, ge=0, description="largest random translation, in pixels")
    flip: bool = Field(True, description="mirror half of the images")
    erase: float = Field(0.25, ge=0, le=1, description="share of images with a blanked square (Zhong et al. 2017)")
    erase_size: int = Field(10, ge=2, description="longest side of the blanked square, in pixels")
    clip_grad: float = Field(1.0, gt=0, description="largest norm of the gradient")
    seed: int = Field(0, ge=0)
