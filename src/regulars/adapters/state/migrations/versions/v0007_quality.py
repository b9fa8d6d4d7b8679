"""The tracking plan and what breaks it."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
