"""Legal basis: what allows a source of personal data to be read, with its evidence."""

from regulars.govern.legal_basis.bases import BASES, GATED, LegalBasis

__all__ = ["BASES", "GATED", "LegalBasis"]
