"""Referrals: both sides are paid once the friend's first order can no longer be returned."""
