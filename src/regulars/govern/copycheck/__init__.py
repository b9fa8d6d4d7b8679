"""Copy review: what a message may not say, found in its rendered text before it goes out."""

from regulars.govern.copycheck.evidence import CatalogueName, Evidence
from regulars.govern.copycheck.findings import Copy, Finding, Severity

__all__ = ["CatalogueName", "Copy", "Evidence", "Finding", "Severity"]
