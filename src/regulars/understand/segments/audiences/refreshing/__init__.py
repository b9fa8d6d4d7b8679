"""Refreshing audiences: judging again whom news or time concern, and nobody else."""
