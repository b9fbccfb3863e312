"""The topics of the contract: their names, without the configured prefix.

In: others write, streamseg reads. Out: streamseg writes. How each topic has to be on the broker says
`agents.kafka.topics`; the shape of its values `schemas.generate`.
"""

from __future__ import annotations

from typing import Final

CONTACT_UPDATES: Final = "contact-updates"
"""In: changes of contacts' attributes, tags and lists, and erasures."""

BEHAVIOR_EVENTS: Final = "behavior-events"
"""In: what contacts did."""

SEGMENT_COMMANDS: Final = "segment-commands"
"""In: what accounts want done with segments and groups; the HTTP API writes its callers' commands here."""

SEGMENT_DEFINITIONS: Final = "segment-definitions"
"""In and out: the segments, a tombstone for a deleted one."""

MEMBERSHIP_CHANGES: Final = "membership-changes"
"""Out: a contact entered or exited a segment."""

SEGMENT_MEMBERSHIPS: Final = "segment-memberships"
"""Out: who is in which segment now, a tombstone after an exit."""

CHANNEL_SUPPRESSIONS: Final = "channel-suppressions"
"""Out: whom not to send to by which channel, at once."""

SEGMENT_CATALOG: Final = "segment-catalog"
"""Out: each segment's row of the list: status, count, progress; and the groups."""

DEAD_LETTERS: Final = "dead-letters"
"""Out: the refused records, bytes unchanged, the reason in their headers."""

SOURCES: Final = (BEHAVIOR_EVENTS, CONTACT_UPDATES)
"""The topics that contacts' records come from."""
