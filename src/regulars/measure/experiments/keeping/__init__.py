"""Keeping experiments: from draft to running to stopped to concluded, and who got which variant."""
