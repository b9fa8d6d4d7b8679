"""Explaining: why somebody was contacted or not, in codes and in words."""

from regulars.serve.sending.explaining.telling import Explained, Explanation, explain, explain_in

__all__ = ["Explained", "Explanation", "explain", "explain_in"]
