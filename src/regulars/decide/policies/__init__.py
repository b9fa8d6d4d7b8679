"""Policies: which action each customer gets, with the probability it had."""

from regulars.decide.policies.sampling import Policy, sampling_policy

__all__ = ["Policy", "sampling_policy"]
