"""docs/asyncapi.json is a valid AsyncAPI 3 document of every topic of the contract.

`tests/schemas/asyncapi-3.0.0.json.gz` is the official JSON Schema of AsyncAPI 3.0.0, unchanged: the file
`schemas/3.0.0-without-$id.json` of the npm package @asyncapi/specs 6.11.1 (Apache-2.0).
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agents import asyncapi
from agents.kafka.topics import required_topics
from schemas import generate, topics
from streamseg.records.headers import Statement
from streamseg.settings import Settings
from tests.docs.pages import DOCS, section
from tests.docs.timelines import attributes, replayed

jsonschema_rs = pytest.importorskip("jsonschema_rs")

OFFICIAL = Path(__file__).parents[1] / "schemas" / "asyncapi-3.0.0.json.gz"
NAMES = {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}


@cache
def official() -> Any:
    return jsonschema_rs.validator_for(json.loads(gzip.decompress(OFFICIAL.read_bytes())))


def document() -> Any:
    return json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))


def test_the_document_is_valid() -> None:
    official().validate(document())


@pytest.mark.parametrize(
    "broken",
    [
        {"channels": {"a": {"address": 1}}},
        {"operations": {"a": {"action": "write", "channel": {"$ref": "#/channels/a"}}}},
        {"info": {"title": "streamseg"}},
        {"topics": {}},
    ],
)
def test_the_official_schema_refuses_what_is_wrong(broken: dict[str, Any]) -> None:
    assert not official().is_valid({**document(), **broken})


def test_every_topic_of_the_contract_is_in_it() -> None:
    assert set(document()["channels"]) == NAMES
    assert {channel["address"] for channel in document()["channels"].values()} == NAMES


def test_references_lead_somewhere() -> None:
    whole = document()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if (reference := value.get("$ref")) is not None:
                if reference.startswith("#/"):
                    found = whole
                    for step in reference[2:].split("/"):
                        found = found[step]
                else:
                    assert (DOCS / reference).is_file()
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    look(whole)


def test_the_values_are_those_of_the_published_schemas() -> None:
    messages = document()["components"]["messages"]
    with_schema = {name for name, message in messages.items() if "payload" in message}
    assert with_schema == set(generate.TOPIC_VALUES)
    for name in with_schema:
        schema = json.loads((DOCS / messages[name]["payload"]["$ref"]).read_text(encoding="utf-8"))
        assert schema["$id"] == messages[name]["x-schema-id"]
    assert NAMES - with_schema == {topics.DEAD_LETTERS}


# Keywords of draft 2020-12 that draft 7 does not know or reads otherwise. AsyncAPI follows draft 7.
LATER = {"$dynamicRef", "$anchor", "$vocabulary", "dependentSchemas", "dependentRequired", "prefixItems"} | {
    "unevaluatedProperties",
    "unevaluatedItems",
    "minContains",
    "maxContains",
}


@pytest.mark.parametrize("topic", sorted(generate.TOPIC_VALUES))
def test_the_schemas_mean_the_same_in_draft_7(topic: str) -> None:
    def keywords(schema: Any) -> set[str]:
        if isinstance(schema, dict):
            return set(schema).union(*map(keywords, schema.values()))
        return set().union(*map(keywords, schema)) if isinstance(schema, list) else set()

    assert keywords(generate.json_schema(topic)).isdisjoint(LATER)


def test_settings_are_those_of_the_broker() -> None:
    wanted = {topic.name: topic for topic in required_topics(Settings(_env_file=None))}
    for name, channel in document()["channels"].items():
        kafka = channel["bindings"]["kafka"]
        assert (kafka["partitions"], kafka["replicas"]) == (
            wanted[name].partitions,
            wanted[name].replication_factor,
        )
        said = {
            setting: ",".join(value) if isinstance(value, list) else str(value)
            for setting, value in kafka["topicConfiguration"].items()
        }
        assert said == wanted[name].config


def test_who_writes_and_who_reads() -> None:
    whole = document()
    changes, updates = (whole["channels"][name] for name in ("membership-changes", "contact-updates"))
    assert (changes["x-writers"], changes["x-readers"]) == (["worker"], ["campaign"])
    assert updates["x-writers"] == ["worker", "restore", "tracker"]
    assert "receive-behavior-events" in whole["operations"]
    assert "send-behavior-events" not in whole["operations"]
    assert "send-dead-letters" in whole["operations"]
    assert "receive-dead-letters" not in whole["operations"]
    assert {"send-segment-definitions", "receive-segment-definitions"} <= set(whole["operations"])


def test_headers_are_those_that_are_written() -> None:
    messages = document()["components"]["messages"]
    (letter,) = replayed([attributes("2026-05-01 10:00", member_points="120")]).dead_letters
    described = messages["dead-letters"]["headers"]
    written = {name: value.decode() for name, value in letter.headers()}
    assert set(written) | {"error.paths", "traceparent"} == set(described["properties"])
    jsonschema_rs.validator_for(described).validate(written)
    assert set(described["required"]) == {
        row[0].strip("`")
        for row in section("messages.md", "dead-letters").rows
        if row[0].strip("`") in described["properties"]
    } - {"error.paths", "traceparent"}
    definition = {name: value.decode() for name, value in Statement(1, 2, 3).headers()}
    assert set(definition) == set(messages["segment-definitions"]["headers"]["properties"])


def test_the_text_is_that_which_the_code_makes() -> None:
    assert (DOCS / "asyncapi.json").read_text(encoding="utf-8") == asyncapi.render()
