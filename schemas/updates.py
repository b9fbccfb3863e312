"""Contact updates: the value on `contact-updates`."""

from __future__ import annotations

from typing import Annotated

from pydantic import SkipValidation

from schemas.attributes import Attributes
from schemas.scalars import NonEmptyText
from schemas.timestamps import StatedTimestamp
from schemas.wire import WireModel


class TagChanges(WireModel):
    """What becomes of a contact's tags: some added and some removed, or all of them set anew."""

    add: list[NonEmptyText] | None = None
    remove: list[NonEmptyText] | None = None
    set: list[NonEmptyText] | None = None
    """All the tags from now on; not together with add or remove."""


class ListChanges(WireModel):
    """The static segments, by id, that the contact is put in and taken out of."""

    add: list[NonEmptyText] | None = None
    remove: list[NonEmptyText] | None = None


class ContactUpdate(WireModel):
    """A merge into what is known of a contact. Null for a field is as if it were left out.

    Validation judges the envelope. What attributes, tags and lists should hold stands in the JSON Schema; a
    value in them that cannot be taken does not refuse the update, see streamseg.engine.update_values."""

    contact_id: NonEmptyText
    """The record's key as well."""
    attributes: Annotated[Attributes | None, SkipValidation] = None
    """Values by name; null removes an attribute, names that are not standard are custom attributes."""
    tags: Annotated[TagChanges | None, SkipValidation] = None
    lists: Annotated[ListChanges | None, SkipValidation] = None
    updated_at: StatedTimestamp | None = None
    """When the values came to be true; absent, the record's timestamp."""
    deleted: bool | None = None
    """True erases the contact: it exits everything and its state is dropped."""
    keep_suppressions: bool | None = None
    """Beside `deleted`: the contact's opt-outs outlive it."""
