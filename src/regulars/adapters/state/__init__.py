"""The transactional store by SQLAlchemy: SQLite by default; migrations by Alembic."""

from regulars.adapters.state.store import SQLState, migrate, schema_version

__all__ = ["SQLState", "migrate", "schema_version"]
