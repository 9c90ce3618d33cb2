"""The steps that a policy can ask for, carried out in order by the node that holds the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from edgesim.errors import InputError

Score = Literal["confidence", "entropy", "margin", "change"]
Payload = Literal["state", "image"]


@dataclass(frozen=True, slots=True)
class Run:
    """Run the backbone until ``to_block`` blocks have been run."""

    to_block: int


@dataclass(frozen=True, slots=True)
class Exit:
    """Run the branch of exit ``exit`` on the present state; its scores can be seen afterwards."""

    exit: int


@dataclass(frozen=True, slots=True)
class When:
    """Holds where the score is sure enough: confidence or margin >= threshold, entropy < threshold.

    In regression change <= threshold: by how much the value differs from that of the exit that was run before it at
    the same node; the first exit there is never sure.
    Source of the entropy rule: BranchyNet (Teerapittayanon et al., ICPR 2016), natural logarithm.
    """

    score: Score
    threshold: float

    def __post_init__(self) -> None:
        if self.score not in get_args(Score):
            raise InputError(f"{self!r}, but the scores are {', '.join(get_args(Score))}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Give the answer of an exit that has been run.

    Without ``when`` the answer is given and the plan goes on.  With ``when`` it is given only where the
    condition holds, and then the plan ends here.
    """

    exit: int
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Encode a copy and send it to the server ``to``; the plan goes on at once.

    payload: ``state`` at the present cut, or ``image`` (cut 0: the receiver starts from the first block).
    model: the model that the receiver runs, for ``image`` only; the present one if None.
    """

    to: str
    codec: str
    payload: Payload = "state"
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Let others use the processor until ``until_s``; then the policy is asked again."""

    until_s: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """Send a message to ``to`` (headers are charged) that drops what it still has queued of this request."""

    to: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Give the request up at this node."""

    reason: str


Step = Run | Exit | Answer | Send | Wait | Cancel | Stop
