"""Explaining: why somebody was contacted or not, in codes and in words."""

from regulars.serve.sending.explaining.calling import Called, call
from regulars.serve.sending.explaining.telling import Explained, Explanation, explain, explain_in

__all__ = ["Called", "Explained", "Explanation", "call", "explain", "explain_in"]
