"""Who did what, with whose data, when and from where: an append-only log, as a file and a table."""

from gateway.audit.events import Event, Outcome
from gateway.audit.log import Audit, open_audit
from gateway.audit.reader import EventFilter, read_events

__all__ = ["Audit", "Event", "EventFilter", "Outcome", "open_audit", "read_events"]
