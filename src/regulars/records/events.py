"""Events: what clients sent, as stored, and what came of every request.

Names follow the Segment spec. Direct identifiers inside a payload are tokens: their clear
values are kept encrypted elsewhere.
"""

from regulars.records.tables import Table, columns

CLOCK_UNREADABLE = "clock_unreadable"
"""The mark of an event whose moment could not be read; it says nothing of who was at work."""

EVENTS = (
    Table(
        "events",
        "collect",
        "one row per stored event",
        columns("""
        source string the source whose write key came with it
        message_id string the client's own id, or a hash of the content; unique per source
        dialect string wire format it came in: segment, sensors, native...
        type string track, identify, page, screen, group or alias
        event string? name of a track event, or of a page or screen
        occurred_at timestamp when it happened, clock corrected, aware UTC
        sent_at timestamp? when the client says it sent it
        received_at timestamp when it was acknowledged
        business_date date the day it happened in the workspace's zone
        anonymous_id string?! the client's id of the browser or device
        user_id string?! login id, or its token when it is a phone number or an e-mail address
        payload string! the whole event as JSON in Segment form, direct identifiers as tokens
        receipt string the request it came in
        is_late bool it happened longer ago than the settings call normal
        is_future bool the client's clock was ahead even after correction
        marks string? reason codes of anomalies seen on arrival, separated by spaces
        log_partition int64 partition of the log it came through
        log_sequence int64 batch of that partition it was decided in
        """),
        ("source", "message_id"),
    ),
    Table(
        "refused_events",
        "collect",
        "one row per event held back",
        columns("""
        refused_id string names the row: partition, batch and place in the batch
        source string the source whose write key came with it
        message_id string? the client's own id, when it could be read
        dialect string wire format it came in
        received_at timestamp when it was acknowledged
        receipt string the request it came in
        reason string reason code
        path string? where in the event the fault lies
        detail string? what was found and what is wanted; no personal data
        raw string! the event as received, encrypted
        log_partition int64 partition of the log it came through
        log_sequence int64 batch of that partition it was decided in
        """),
        ("refused_id",),
    ),
    Table(
        "receipts",
        "collect",
        "one row per request, partition and batch that decided events of it",
        columns("""
        receipt string the request
        source string the source whose write key came with it
        received int64 events received
        stored int64 events stored
        duplicate int64 events known already
        quarantined int64 events held back, each with a reason
        suppressed int64 events not kept because their customer was erased or opted out
        log_partition int64 partition of the log
        log_sequence int64 batch of that partition
        """),
        ("receipt", "log_partition", "log_sequence"),
    ),
)
