"""Access: who may sign in, and what each role may do."""

from regulars.govern.access.roles import ANYONE, PUBLISHED, SIGNED, Role, RoleMatrix, covers

__all__ = ["ANYONE", "PUBLISHED", "SIGNED", "Role", "RoleMatrix", "covers"]
