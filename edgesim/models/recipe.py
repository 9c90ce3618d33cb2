"""How to train: the numbers of a recipe, readable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Strategy = Literal["end_to_end", "classifier_wise", "layer_wise"]


class Recipe(BaseModel):
    """The settings of a training with AdamW (:mod:`edgesim.models.strategies` says what each strategy does)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: int = Field(ge=1, description="of all exits together, or of each exit where they are trained in turn")
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
    strategy: Strategy = "end_to_end"
    distillation: float = Field(0.0, ge=0, le=1, description="share of an early exit's loss: unlike the final exit")
    distillation_temperature: float = Field(2.0, gt=0)
    curriculum: float = Field(1.0, gt=0, le=1, description="share of the images, the easiest, to begin with; 1: all")
    views: int = Field(1, ge=1, description="classifier-wise: augmented copies of each image, drawn once")

    @property
    def augments(self) -> bool:
        """Whether a training image is anything but itself."""
        return self.shift > 0 or self.flip or self.erase > 0

    @model_validator(mode="after")
    def _strategy_allows(self) -> Recipe:
        if self.strategy == "layer_wise" and self.distillation:
            raise ValueError(
                "distillation: layer_wise trains early exits when there is no final exit to learn from yet"
            )
        if self.strategy != "classifier_wise" and self.curriculum < 1:
            raise ValueError("curriculum: only classifier_wise has a trained final exit that says what is easy")
        if self.strategy != "classifier_wise" and self.views > 1:
            raise ValueError("views: only for classifier_wise; the other strategies augment anew in every epoch")
        if self.views > 1 and not self.augments:
            raise ValueError("views: all would be equal without shift, flip and erase")
        return self
