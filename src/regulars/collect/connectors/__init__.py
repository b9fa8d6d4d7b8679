"""Connectors: every kind of source with its contract, and how a configured one is read."""

from regulars.collect.connectors.catalogue import SOURCE_KINDS, Sample, SourceKind, source_kind

__all__ = ["SOURCE_KINDS", "Sample", "SourceKind", "source_kind"]
