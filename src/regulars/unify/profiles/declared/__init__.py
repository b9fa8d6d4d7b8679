"""What a profile says, declared once: folds, indicators, leanings and static tags."""
