"""Exit branches: what turns the state after a block into an answer.

The seven of Bakhtiarnia, Zhang and Iosifidis, "Multi-Exit Vision Transformer for Dynamic Inference", BMVC 2021
(arXiv 2106.15183).  The paper's own lists of layers could not be confirmed; the layers here are those on which
independent re-implementations agree, and where these differ there is a parameter.
"""

from edgesim.models.branches.base import Branch, summary_token
from edgesim.models.branches.cnn import CNNBranch
from edgesim.models.branches.create import create_branch
from edgesim.models.branches.mixer import MixerBranch
from edgesim.models.branches.mlp import MLPBranch
from edgesim.models.branches.resmlp import ResMLPBranch
from edgesim.models.branches.vit import ViTBranch

__all__ = [
    "Branch",
    "CNNBranch",
    "MLPBranch",
    "MixerBranch",
    "ResMLPBranch",
    "ViTBranch",
    "create_branch",
    "summary_token",
]
