"""A small geometry of every backbone, on grey images of 64 pixels with three classes."""

from __future__ import annotations

from typing import Any

from edgesim.models.geometry import Geometry

COMMON = {"img_size": 64, "in_chans": 1, "num_classes": 3}
BACKBONE: dict[str, dict[str, Any]] = {
    "small_vit": {"width": 8, "depth": 2, "heads": 2, "stem_channels": [4, 4, 4]},
    "levit": {"widths": [16, 32], "depths": [1, 2], "heads": [2, 4], "key_dim": 8, "stem_stride": 8},
    "crossvit": {"patch_sizes": [8, 16], "widths": [8, 16], "depths": [1, 2], "heads": [2, 2], "fusions": 2},
    "evo_deit": {"patch_size": 16, "width": 8, "depth": 4, "heads": 2, "select_before": [1, 3]},
    "evo_levit": {
        "widths": [16, 32],
        "depths": [2, 2],
        "heads": [2, 4],
        "key_dim": 8,
        "stem_stride": 8,
        "ordinary": 1,
    },
    "vil": {
        "widths": [8, 8, 16],
        "depths": [1, 2, 1],
        "heads": [1, 2, 2],
        "patch_sizes": [4, 2, 2],
        "global_tokens": [1, 2, 0],
        "window": 4,
    },
    "shuffle": {"width": 8, "depths": [2, 2], "heads": [2, 2], "window": 4},
}
BRANCHES = ("mlp", "cnn_ignore", "cnn_add", "cnn_project", "vit", "mlp_mixer", "resmlp")


def geometry(kind: str, *branches: dict[str, Any], **changes: Any) -> Geometry:
    backbone = {"type": kind, **COMMON, **BACKBONE[kind], **changes}
    return Geometry.model_validate({"backbone": backbone, "branches": list(branches)})
