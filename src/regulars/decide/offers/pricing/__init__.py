"""What a basket gets by offers: which apply, in what order, off which line, to the cent."""

from regulars.decide.offers.pricing.allocating import allocated
from regulars.decide.offers.pricing.basket import Basket, Line, basket_from
from regulars.decide.offers.pricing.combining import Candidate, Priced, Rules, price

__all__ = [
    "Basket",
    "Candidate",
    "Line",
    "Priced",
    "Rules",
    "allocated",
    "basket_from",
    "price",
]
