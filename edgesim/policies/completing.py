"""Policies that decide on the device alone: a server runs what is left and answers with the last exit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from edgesim.policies.base import Facts, Policy, RequestView, View
from edgesim.policies.plans import to_the_end
from edgesim.policies.steps import Step


class Completing(Policy):
    """Subclasses give ``device_steps``."""

    def prepare(self, facts: Facts) -> None:
        super().prepare(facts)
        self._to_the_end = {name: to_the_end(model.shape) for name, model in facts.models.items()}

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.device_steps(request, view) if self.facts.is_device else self._to_the_end[request.model]

    @abstractmethod
    def device_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        """The steps of a request that starts on the device."""
