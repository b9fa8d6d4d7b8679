"""Challengers: other recipes of the models, tried against the champions on held-out weeks.

`try_recipes` takes any recipes and any order history, without a workspace.
"""

from regulars.understand.challengers.catalogue import RECIPES
from regulars.understand.challengers.recipe import Recipe, brier_loss, poisson_deviance
from regulars.understand.challengers.trial import try_recipes

__all__ = ["RECIPES", "Recipe", "brier_loss", "poisson_deviance", "try_recipes"]
