"""Contact updates: the value on `contact-updates`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schemas.attributes import Attributes
from schemas.paths import problem
from schemas.scalars import NonEmptyText
from schemas.timestamps import Timestamp
from schemas.wire import WireModel


class TagChanges(WireModel):
    """What becomes of a contact's tags: some added and some removed, or all of them set anew."""

    add: list[NonEmptyText] = Field(default_factory=list)
    remove: list[NonEmptyText] = Field(default_factory=list)
    set: list[NonEmptyText] | None = None
    """All the tags from now on; not together with add or remove."""

    @model_validator(mode="after")
    def _one_way_of_changing(self) -> Self:
        if self.set is not None and (self.add or self.remove):
            raise problem("not together with add or remove", at="set")
        return self


class ListChanges(WireModel):
    """The static segments, by id, that the contact is put in and taken out of."""

    add: list[NonEmptyText] = Field(default_factory=list)
    remove: list[NonEmptyText] = Field(default_factory=list)


class ContactUpdate(WireModel):
    """A merge into what is known of a contact."""

    contact_id: NonEmptyText
    """The record's key as well."""
    attributes: Attributes = Field(default_factory=dict)
    """Values by name; null removes an attribute, names that are not standard are custom attributes."""
    tags: TagChanges | None = None
    lists: ListChanges | None = None
    updated_at: Timestamp | None = None
    """When the values came to be true; absent, the record's timestamp."""
    deleted: bool = False
    """True erases the contact: it exits everything and its state is dropped."""
