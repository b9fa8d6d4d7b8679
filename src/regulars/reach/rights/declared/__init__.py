"""What is declared of every table that holds a customer, and of those that hold nobody."""

from regulars.reach.rights.declared.held import Held
from regulars.reach.rights.declared.lake import FOUND_SEALED, IN_LAKE
from regulars.reach.rights.declared.nobody import COVERED, LAKE_NOBODY, NOBODY
from regulars.reach.rights.declared.state import HELD

__all__ = ["COVERED", "FOUND_SEALED", "HELD", "IN_LAKE", "LAKE_NOBODY", "NOBODY", "Held"]
