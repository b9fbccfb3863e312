"""Contact updates: the value on `contact-updates`."""

from __future__ import annotations

from typing import Annotated

from pydantic import SkipValidation

from schemas.attributes import Attributes
from schemas.scalars import NonEmptyText
from schemas.timestamps import StatedTimestamp
from schemas.wire import WireModel


class TagChanges(WireModel):
    """Changes to a contact's tags: some added and some removed, or all of them replaced."""

    add: list[NonEmptyText] | None = None
    remove: list[NonEmptyText] | None = None
    set: list[NonEmptyText] | None = None
    """All tags from now on; not together with add or remove."""


class ListChanges(WireModel):
    """The static segments, by id, into which the contact is put and from which it is taken."""

    add: list[NonEmptyText] | None = None
    remove: list[NonEmptyText] | None = None


class ContactUpdate(WireModel):
    """Changes to a contact, merged into its state. Null for a field means the same as leaving it out.

    Validation checks the envelope only. The JSON Schema describes attributes, tags and lists too, but a bad
    value in them does not refuse the update; see `streamseg.engine.update_values`.
    """

    contact_id: NonEmptyText
    """The contact's id, which is the record's key too."""
    attributes: Annotated[Attributes | None, SkipValidation] = None
    """Values by name. Null removes an attribute. Names that are not standard are custom attributes."""
    tags: Annotated[TagChanges | None, SkipValidation] = None
    lists: Annotated[ListChanges | None, SkipValidation] = None
    updated_at: StatedTimestamp | None = None
    """The time at which the values became true; if absent, the record's timestamp."""
    deleted: bool | None = None
    """True erases the contact: it exits all segments and its state is dropped."""
    keep_suppressions: bool | None = None
    """With `deleted`: true keeps the contact's opt-outs."""
