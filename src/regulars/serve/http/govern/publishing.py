"""Publishable keys as admins give them out and revoke them."""

from typing import NamedTuple

from regulars.govern.access.publishable_keys.service import (
    PublishableKey,
    add_publishable_key,
    list_publishable_keys,
    revoke_publishable_key,
)
from regulars.govern.audit.service import anchor
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Workspace


class Published(NamedTuple):
    """A key just given out, and what the shop's server vouches with; shown this once."""

    key: PublishableKey
    secret: str


def publishable_keys(workspace: Workspace) -> list[PublishableKey]:
    """Give every publishable key, those that work first."""
    found = list_publishable_keys(workspace.state)
    return sorted(found, key=lambda one: (one.revoked_at is not None, one.name))


def publish_key(caller: Caller, name: str, origins: str) -> Published:
    """Give out a key that pages may hold.

    Args:
        caller: Who gives it out.
        name: Which site will hold it.
        origins: Origins whose pages may use it, separated by spaces.

    Returns:
        The key and its secret.

    Raises:
        InputError: It cannot be named so, or an origin is missing or none.
    """
    workspace = caller.workspace
    made = add_publishable_key(
        workspace.state,
        name=name.strip(),
        origins=origins.split(),
        actor=caller.actor,
        now=caller.now,
    )
    secret = workspace.vouching_secret(made.key)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
    return Published(made, secret)


def unpublish_key(caller: Caller, name: str) -> None:
    """Stop a key from working, and what was vouched for with it.

    Raises:
        UnknownName: No key of that name was given out.
    """
    workspace = caller.workspace
    revoke_publishable_key(workspace.state, name=name, actor=caller.actor, now=caller.now)
    anchor(workspace.state, folder=workspace.folder, at=caller.now)
