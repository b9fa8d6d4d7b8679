"""Limits: how many contacts of a kind a customer may get within a window of time."""

from regulars.govern.policy.limits.caps import limits_of_caps
from regulars.govern.policy.limits.limit import Counted, Limit, Window
from regulars.govern.policy.limits.quotas import Quota, quotas_in_force

__all__ = ["Counted", "Limit", "Quota", "Window", "limits_of_caps", "quotas_in_force"]
