"""What matching remembers of a source: sealed records, customer ids, what changed since."""
