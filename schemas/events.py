"""Behaviour events: the value on `behavior-events`."""

from __future__ import annotations

from typing import Any

from schemas.scalars import NonEmptyText
from schemas.timestamps import StatedTimestamp
from schemas.wire import WireModel


class BehaviorEvent(WireModel):
    """A behaviour event: something that a contact did or that happened to a contact."""

    event_id: NonEmptyText
    """An id that is unique for the contact. A repeated id changes nothing."""
    contact_id: NonEmptyText
    """The contact's id, which is the record's key too."""
    event: NonEmptyText
    """The name of a standard event, or any other name for a custom event."""
    occurred_at: StatedTimestamp
    properties: dict[str, Any] | None = None
    """Any JSON object; null means the same as leaving it out."""
