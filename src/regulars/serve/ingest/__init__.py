"""The doors events come in by: every client's routes, answered only when events are on disk."""

from regulars.serve.ingest.desks import Desk, Desks
from regulars.serve.ingest.reception import Front, Reception
from regulars.serve.ingest.wire import protocol_for

__all__ = ["Desk", "Desks", "Front", "Reception", "protocol_for"]
