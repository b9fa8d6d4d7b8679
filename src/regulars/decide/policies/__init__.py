"""Policies: which action each customer gets, with the probability it had."""

from regulars.decide.policies.sampling import Economics, Policy, sampling_policy

__all__ = ["Economics", "Policy", "sampling_policy"]
