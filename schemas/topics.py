"""The names of the contract's topics, without the configured prefix.

In: others write and streamseg reads. Out: streamseg writes. `agents.kafka.topics` defines the settings of
each topic on the broker, `schemas.generate` the shape of its values.
"""

from __future__ import annotations

from typing import Final

CONTACT_UPDATES: Final = "contact-updates"
"""In: changes of contacts' attributes, tags and lists, and erasures."""

BEHAVIOR_EVENTS: Final = "behavior-events"
"""In: behaviour events of contacts."""

SEGMENT_COMMANDS: Final = "segment-commands"
"""In: commands of accounts about segments and groups. The HTTP API writes its callers' commands here."""

SEGMENT_DEFINITIONS: Final = "segment-definitions"
"""In and out: the segments' definitions; a tombstone for a deleted segment."""

MEMBERSHIP_CHANGES: Final = "membership-changes"
"""Out: a contact entered or exited a segment."""

SEGMENT_MEMBERSHIPS: Final = "segment-memberships"
"""Out: the current memberships; a tombstone after an exit."""

CHANNEL_SUPPRESSIONS: Final = "channel-suppressions"
"""Out: the contacts not to send to now, by channel."""

SEGMENT_CATALOG: Final = "segment-catalog"
"""Out: one row for each segment of the list, with status, count and progress; the groups; earlier versions of
definitions; and deleted segments that can be restored."""

DEAD_LETTERS: Final = "dead-letters"
"""Out: the refused records with unchanged bytes; the headers hold the reason."""

AUDIT: Final = "audit"
"""Out: who asked the HTTP API for what, and what came of it."""

SOURCES: Final = (BEHAVIOR_EVENTS, CONTACT_UPDATES)
"""The topics with records about contacts."""
