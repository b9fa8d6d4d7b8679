"""What a draft is expected to cause."""
