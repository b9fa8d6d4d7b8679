"""Sources: the files a retailer has become typed facts, by a mapping a person can write."""

from regulars.collect.sources.mapping import (
    ImportMapping,
    mapping_by_name,
    mapping_of,
    read_mapping,
)

__all__ = ["ImportMapping", "mapping_by_name", "mapping_of", "read_mapping"]
