"""Identity: which identifiers belong to one customer, why, and how to take it back."""

from regulars.unify.identity.identifiers import Identifier, identifiers_of, primary_node

__all__ = ["Identifier", "identifiers_of", "primary_node"]
