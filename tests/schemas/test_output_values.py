"""The engine's output matches the schemas."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue import CatalogueRow
from schemas.changes import ChannelSuppression, MembershipChange, SegmentMembership
from streamseg.records import outputs as changes

EXAMPLE: dict[str, Any] = {
    "change_id": "cn-members|c1|1777593600000|7",
    "segment_id": "cn-members",
    "segment_version": 3,
    "contact_id": "c1",
    "change": "entered",
    "sequence": 7,
    "effective_at": "2026-05-01T00:00:00.000Z",
    "reason": {"kind": "behavior_event", "ref": "e-1"},
}
ROW: dict[str, Any] = {
    "segment_id": "cn-members",
    "name": "案例分群",
    "type": "standard",
    "group": "default",
    "version": 3,
    "status": "calculating",
    "progress": 0.5,
    "contacts": 12,
    "created_by": "a@x.cn",
    "created_at": "2026-05-01T08:00:00+08:00",
    "updated_by": None,
    "updated_at": None,
    "shared_with": [],
    "formula_digest": "8b9c40fe" * 8,
    "live_version": 2,
    "live_definition": {"segment_id": "cn-members", "version": 2},
    "draft": {"segment_id": "cn-members", "version": 3},
    "generation": 41,
    "command_offset": 7,
}


def change(sequence: int, kind: changes.Cause, ref: str | None) -> changes.MembershipChange:
    return changes.MembershipChange(
        segment_id="cn-members",
        segment_version=3,
        contact_id="c1",
        sequence=sequence,
        effective_ms=1777593600000,
        reason=changes.Reason(kind, ref),
    )


def test_the_example_is_what_the_engine_gives_out() -> None:
    given = change(7, changes.Cause.BEHAVIOR_EVENT, "e-1").wire()
    assert given == EXAMPLE
    assert MembershipChange.model_validate(given).model_dump() == EXAMPLE


@pytest.mark.parametrize("kind", list(changes.Cause))
@pytest.mark.parametrize("sequence", [1, 2])
def test_every_cause_has_its_place_in_the_schema(kind: changes.Cause, sequence: int) -> None:
    given = change(sequence, kind, None).wire()
    assert MembershipChange.model_validate(given).model_dump() == given


def test_memberships_and_suppressions_have_their_place_in_the_schema() -> None:
    membership = change(1, changes.Cause.TIME, None).membership()
    suppression = changes.Suppression("c1", "sms", suppressed=True, effective_ms=0).wire()
    assert SegmentMembership.model_validate(membership).model_dump(exclude_unset=True) == membership
    assert ChannelSuppression.model_validate(suppression).model_dump() == suppression


def test_a_row_of_the_catalogue_is_taken() -> None:
    assert CatalogueRow.model_validate(ROW).model_dump() == ROW


@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"progress": 1.5}, "progress"),
        ({"contacts": -1}, "contacts"),
        ({"status": "done"}, "status"),
        ({"type": "dynamic"}, "type"),
        ({"operations": []}, "operations"),
    ],
)
def test_a_wrong_row_is_refused_where_it_is_wrong(refusal: Any, update: dict[str, Any], path: str) -> None:
    assert refusal(CatalogueRow, {**ROW, **update})[0] == path
