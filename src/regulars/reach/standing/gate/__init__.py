"""The gate: the rules of contact asked in the transaction that claims a contact."""

from regulars.reach.standing.gate.service import Gate, dealer_of, gate_of, quotas_of

__all__ = ["Gate", "dealer_of", "gate_of", "quotas_of"]
