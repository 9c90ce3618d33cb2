"""Policies that give every request at a node the same steps, whatever they could see."""

from __future__ import annotations

from collections.abc import Sequence

from edgesim.policies.base import Policy, RequestView, View
from edgesim.policies.steps import Step


class SamePlan(Policy):
    """Subclasses set ``plan`` in ``prepare``.

    As they look at nothing, the engine need not ask them anew, and where others cannot change it either it books at
    once what becomes of a request; every decision is charged all the same.  A subclass with ``next_steps`` of its own
    is asked each time, as any policy.
    """

    plan: tuple[Step, ...]

    def next_steps(self, request: RequestView, view: View) -> Sequence[Step]:
        return self.plan


def plan_of(policy: Policy | None) -> tuple[Step, ...] | None:
    """The plan for every request at the policy's node, or None where it depends; after ``prepare``."""
    if isinstance(policy, SamePlan) and type(policy).next_steps is SamePlan.next_steps:
        return policy.plan
    return None
