"""Offers: the catalogue version by version, their economics, and what a basket gets by them."""

from regulars.decide.offers.arms import Arm, arms_on, keeps_margin_floor

__all__ = ["Arm", "arms_on", "keeps_margin_floor"]
