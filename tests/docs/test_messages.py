"""The examples of docs/messages.md are valid and its lists complete."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from agents.catalogue.outcome import Outcome
from agents.catalogue.progress_reader import OwnedReport
from agents.kafka.topics import required_topics
from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.audit import AuditEntry
from schemas.catalogue import (
    CATALOGUE_VALUE,
    CatalogueDeletion,
    CatalogueGroup,
    CataloguePosition,
    CatalogueRow,
    CatalogueVersion,
    Status,
)
from schemas.changes import ChannelSuppression, MembershipChange, SegmentMembership
from schemas.commands import SegmentCommand
from schemas.definitions import SegmentDefinition
from schemas.events import BehaviorEvent
from schemas.updates import ContactUpdate
from streamseg.errors import Code
from streamseg.records.outputs import Cause
from streamseg.settings import Settings
from tests.docs.pages import DOCS, below, section, sections
from tests.docs.timelines import attributes, event, replayed, segment

PAGE = "messages.md"
MODELS: dict[str, Any] = {
    "contact-updates": ContactUpdate,
    "behavior-events": BehaviorEvent,
    "segment-commands": SegmentCommand,
    "segment-definitions": SegmentDefinition,
    "membership-changes": MembershipChange,
    "segment-memberships": SegmentMembership,
    "channel-suppressions": ChannelSuppression,
    "segment-catalog": CATALOGUE_VALUE,
    "audit": AuditEntry,
}
EXAMPLES = [(topic, example) for topic in MODELS for one in below(PAGE, topic) for example in one.json]


@pytest.mark.parametrize(("topic", "example"), EXAMPLES)
def test_each_example_is_valid(topic: str, example: Any) -> None:
    model = MODELS[topic]
    (model if isinstance(model, TypeAdapter) else TypeAdapter(model)).validate_python(example)


def test_every_topic_has_a_schema_and_an_example() -> None:
    assert {topic for topic, _ in EXAMPLES} == set(MODELS)
    assert {path.stem for path in (DOCS.parent / "schemas" / "json").glob("*.json")} == set(MODELS)


def names(title: str, column: int) -> set[str]:
    """The names in backticks in one column of a section's tables."""
    return {name for row in section(PAGE, title).rows for name in re.findall(r"`([^`]+)`", row[column])}


def test_the_tables_are_complete() -> None:
    assert names("Standard attributes", 1) == set(STANDARD_ATTRIBUTES)
    rows = section(PAGE, "Rows").rows
    statuses = [row[0].strip("`") for row in rows if len(row) == 3]
    fields = {name for row in rows if len(row) == 2 for name in re.findall(r"`(\w+)`", row[0])}
    assert statuses == list(get_args(Status))
    assert fields == set(CatalogueRow.model_fields)
    assert set(Code) <= names("dead-letters", 0)
    assert set(Cause) <= names("membership-changes", 1)


def test_a_change_has_the_keys_of_the_example() -> None:
    buyers = segment("buyers", {"event": "purchase"})
    (change,) = replayed([buyers, event("2026-05-01 10:00", "purchase")]).changes
    (example,) = section(PAGE, "membership-changes").json
    assert list(change.wire()) == list(example)
    membership = change.membership()
    assert membership is not None
    assert list(membership) == list(section(PAGE, "segment-memberships").json[0])
    recent = segment("recent", {"event": "purchase", "window": {"last": "P7D"}})
    (change,) = replayed([recent, event("2026-05-01 10:00", "purchase")]).changes
    assert list(change.membership() or ()) == list(section(PAGE, "segment-memberships").json[1])


def test_the_catalogue_has_five_kinds_of_records() -> None:
    values = [CATALOGUE_VALUE.validate_python(one) for topic, one in EXAMPLES if topic == "segment-catalog"]
    assert [type(value) for value in values] == [
        CatalogueRow,
        CatalogueVersion,
        CatalogueDeletion,
        CatalogueGroup,
        CataloguePosition,
    ]
    row, example = values[0], section(PAGE, "Rows").json[0]
    assert isinstance(row, CatalogueRow)
    assert list(row.wire()) == list(example)


def test_what_workers_write_for_each_other_has_the_keys_of_the_examples() -> None:
    (outcome,) = section(PAGE, "Outcomes").json
    assert json.loads(Outcome.from_bytes(json.dumps(outcome).encode()).to_bytes()) == outcome
    (report,) = section(PAGE, "Progress").json
    assert json.loads(OwnedReport.from_bytes(json.dumps(report).encode()).to_bytes()) == report


def test_every_topic_is_there() -> None:
    listed = {name for row in sections(PAGE)[0].rows for name in re.findall(r"`([\w-]+)`\]", row[0])}
    internal = names("Internal topics", 0)
    settings = Settings()
    assert listed | {name.replace("WORKER_ID", settings.application_id) for name in internal} == {
        topic.name for topic in required_topics(settings)
    }


def test_a_dead_letter_has_the_headers_of_the_example() -> None:
    (letter,) = replayed([attributes("2026-05-01 10:00", member_points="120")]).dead_letters
    headers = {f"`{name}`": f"`{value.decode()}`" for name, value in letter.headers()}
    assert headers == dict(row for row in section(PAGE, "dead-letters").rows if row[0] in headers)
