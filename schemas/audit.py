"""The output `audit`: who asked the API for what, when and from where, and what came of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.scalars import NonEmptyText
from schemas.timestamps import UtcTimestamp
from schemas.wire import WireModel


class AuditEntry(WireModel):
    """One request to the API that changed something, read contacts, or needed the role `admin`; or one page
    that signed in. It has ids, and no attribute, event or definition."""

    entry_id: NonEmptyText
    """An opaque id. An entry that is sent twice has the same id both times."""
    at: UtcTimestamp
    """When the answer was ready, or when a stream began, by the worker's clock."""
    account: NonEmptyText
    """The account of the token."""
    acted_for: NonEmptyText | None
    """The account in whose name an administrator acted; null if it was the own one."""
    role: Literal["read", "edit", "admin"]
    token_id: str | None
    """The id of the token in the header or of the page's cookie; null without tokens."""
    address: str
    """The address from which the request came to the worker: behind a proxy, that of the proxy."""
    action: NonEmptyText
    """Method and template of the request's address, such as `PUT /segments/{segment_id}`."""
    segment_ids: list[str]
    """The segments that it was about, as far as the request or its answer names them."""
    segment_version: int | None = Field(ge=1)
    """The version of the only segment after a change; null otherwise."""
    group: str | None
    """The group that it was about."""
    contact_ids: list[str]
    """The contacts that it asked for by id; empty if it read a page of contacts."""
    outcome: Literal["done", "refused", "failed", "begun", "gone"]
    """`begun`: a stream that has no end. `gone`: the caller did not wait; a command may have been carried
    out."""
    status: int | None
    """The HTTP status; null if the caller got none."""
    code: str | None
    """The code of the problem, if it was refused or failed."""
