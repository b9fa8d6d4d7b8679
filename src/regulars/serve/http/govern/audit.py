"""The audit log, as the console and the API show it."""

from dataclasses import dataclass

from fastapi import APIRouter, Request

from regulars.govern.audit.chain import Entry
from regulars.govern.audit.service import newest, verify
from regulars.serve.http.door.workspaces import Workspace

router = APIRouter()
CHECKED_ENTRIES = 5000


@dataclass(frozen=True)
class AuditState:
    """Whether the audit log is what it was.

    Attributes:
        entries: Entries in the log.
        checked_from: First entry looked at; the rest is checked by `regulars govern audit verify`.
        anchored_to: Last entry a signed anchor vouches for.
        is_intact: False when something was changed.
        first_bad: Number of the first bad entry; None when intact.
        message: What is wrong, in words; "" when intact.
    """

    entries: int
    checked_from: int
    anchored_to: int
    is_intact: bool
    first_bad: int | None
    message: str


def audit_state(workspace: Workspace) -> AuditState:
    """Check the newest entries of the audit log.

    Returns:
        What was found.
    """
    found = verify(workspace.state, folder=workspace.folder, last=CHECKED_ENTRIES)
    fault = found.fault
    return AuditState(
        found.entries,
        found.checked_from,
        found.anchored_to,
        found.intact,
        fault.number if fault else None,
        fault.message if fault else "",
    )


@router.get("/api/govern/audit", tags=["govern"])
def read_audit(request: Request) -> AuditState:
    """Whether the newest entries of the audit log are what they were."""
    return audit_state(request.state.caller.workspace)


@router.get("/api/govern/audit/entries", tags=["govern"])
def read_entries(request: Request, before: int | None = None) -> list[Entry]:
    """The newest entries of the audit log, 50 at a time."""
    workspace: Workspace = request.state.caller.workspace
    return newest(workspace.state, before=before, named=workspace.protector.hidden_name)
