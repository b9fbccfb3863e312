"""Makes docs/asyncapi.json: the topics of the contract as an AsyncAPI 3 document.

It is written from the side of streamseg: `send` is what workers write, `receive` what they read. Shapes come
from `schemas`, topic settings from `agents.kafka.topics`, writers and readers from `agents.kafka.rights`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final, NamedTuple

from agents.catalogue.outcome import ORIGIN, REQUEST_ID, VERSIONS
from agents.kafka.rights import Operation, Role, rights
from agents.kafka.topics import Topic, required_topics
from schemas.generate import TOPIC_VALUES, schema_id
from schemas.topics import (
    AUDIT,
    BEHAVIOR_EVENTS,
    CHANNEL_SUPPRESSIONS,
    CONTACT_UPDATES,
    DEAD_LETTERS,
    MEMBERSHIP_CHANGES,
    SEGMENT_CATALOG,
    SEGMENT_COMMANDS,
    SEGMENT_DEFINITIONS,
    SEGMENT_MEMBERSHIPS,
)
from streamseg.errors import Code
from streamseg.json_text import Json
from streamseg.records.trace import TRACEPARENT
from streamseg.settings import Settings

_KAFKA_BINDING: Final = "0.5.0"
# Settings of a topic that are numbers or lists in the document; the others are text, as in Kafka.
_NUMBERS: Final = ("retention.ms", "delete.retention.ms", "max.message.bytes", "max.compaction.lag.ms")
_INTEGER: Final[Json] = {"type": "string", "pattern": "^-?[0-9]+$"}
_TRACED: Final[Mapping[str, Json]] = {
    TRACEPARENT: {
        "type": "string",
        "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C Trace Context; passed from a record to what the record causes at once.",
    }
}


class _Described(NamedTuple):
    """What the code does not say of a topic elsewhere.

    meaning  one sentence
    key      the key of a record
    headers  the names of headers and their schemas; headers of Kafka are bytes, here UTF-8 text
    needed   the headers that each record has
    """

    meaning: str
    key: str
    headers: Mapping[str, Json] = {}
    needed: tuple[str, ...] = ()


_TOPICS: Final[Mapping[str, _Described]] = {
    CONTACT_UPDATES: _Described(
        "Changes of contacts' attributes, tags and lists, and erasures.", "the contact_id", _TRACED
    ),
    BEHAVIOR_EVENTS: _Described("Behaviour events of contacts.", "the contact_id", _TRACED),
    SEGMENT_COMMANDS: _Described(
        "Commands of accounts about segments and groups.",
        "the segment_id; none for a command about a group or about several segments",
        {
            REQUEST_ID: {"type": "string", "description": "The key of the outcome of this command."},
            ORIGIN: {"type": "string", "const": "api"},
            VERSIONS: {
                "type": "string",
                "pattern": "^[0-9]+(,[0-9]+)*$",
                "description": "The versions of which the segment must have one.",
            },
        },
    ),
    SEGMENT_DEFINITIONS: _Described(
        "The segments' definitions; a tombstone deletes a segment.",
        "the segment_id",
        {
            "segment.born": {
                **_INTEGER,
                "description": "Offset of the tombstone that ended the last segment of this id; -1: none.",
            },
            "segment.introduced": {
                **_INTEGER,
                "description": "Offset of the record by which the formula came into force, if not this one.",
            },
            "segment.answers": {
                **_INTEGER,
                "description": "Offset of the record that this one confirms or undoes.",
            },
        },
    ),
    MEMBERSHIP_CHANGES: _Described("A contact entered or exited a segment.", "the contact_id", _TRACED),
    SEGMENT_MEMBERSHIPS: _Described(
        "The current memberships; a tombstone after an exit.", "segment_id|contact_id", _TRACED
    ),
    CHANNEL_SUPPRESSIONS: _Described(
        "The contacts not to send to now; a tombstone ends it.", "contact_id|channel", _TRACED
    ),
    SEGMENT_CATALOG: _Described(
        "The list of segments and groups, earlier versions, and deleted segments; tombstones remove them.",
        "segment_id, group|NAME, version|ID|VERSION, deleted|ID|COMMAND_OFFSET or commands|",
    ),
    AUDIT: _Described("Who asked the HTTP API for what, and what came of it.", "none"),
    DEAD_LETTERS: _Described(
        "Refused records, and updates of which values were left out: unchanged bytes, the reason in headers.",
        "as it was read",
        {
            "error.code": {"type": "string", "enum": [code.value for code in Code]},
            "error.message": {"type": "string"},
            "error.path": {"type": "string"},
            "error.paths": {
                "type": "string",
                "contentMediaType": "application/json",
                "description": "A JSON list of all paths; only with the code invalid_value.",
            },
            "record.applied": {"type": "string", "enum": ["no", "partly"]},
            "source.topic": {"type": "string", "description": "The topic's name without prefix."},
            "source.partition": _INTEGER,
            "source.offset": _INTEGER,
            **_TRACED,
        },
        (
            *("error.code", "error.message", "error.path", "record.applied"),
            *("source.topic", "source.partition", "source.offset"),
        ),
    ),
}


def document() -> Json:
    """Return the AsyncAPI 3 document, with names and settings of topics as by default."""
    settings = Settings(_env_file=None)
    topics = {topic.name: topic for topic in required_topics(settings)}
    able = {role: {(one.operation, one.name) for one in rights(settings, role)} for role in Role}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:streamseg",
        "info": {
            "title": "streamseg",
            "version": version("streamseg"),
            "description": (
                "The topics of streamseg, seen from its workers: they send what they write and receive what "
                "they read. STREAMSEG_TOPIC_PREFIX, empty by default, stands before each name. The number of "
                "partitions of topics that have several, the replicas and the sizes follow from settings."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, topics[name], able) for name in _TOPICS},
        "operations": {
            key: operation
            for name in _TOPICS
            for key, operation in (
                (f"send-{name}", _operation("send", name)),
                (f"receive-{name}", _operation("receive", name)),
            )
            if (_NEEDED[operation["action"]], name) in able[Role.WORKER]
        },
        "components": {"messages": {name: _message(name) for name in _TOPICS}},
    }


_NEEDED: Final = {"send": Operation.WRITE, "receive": Operation.READ}


def _operation(action: str, name: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _channel(name: str, topic: Topic, able: Mapping[Role, set[tuple[Operation, str]]]) -> Json:
    def roles(operation: Operation) -> list[str]:
        return [role.value for role in Role if (operation, name) in able[role]]

    return {
        "address": name,
        "description": _TOPICS[name].meaning,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": topic.partitions,
                "replicas": topic.replication_factor,
                "topicConfiguration": {
                    setting: _setting(setting, value) for setting, value in sorted(topic.config.items())
                },
                "bindingVersion": _KAFKA_BINDING,
            }
        },
        "x-writers": roles(Operation.WRITE),
        "x-readers": roles(Operation.READ),
    }


def _setting(name: str, value: str) -> list[str] | int | str:
    if name == "cleanup.policy":
        return value.split(",")
    return int(value) if name in _NUMBERS else value


def _message(name: str) -> Json:
    described = _TOPICS[name]
    message: Json = {
        "name": name,
        "summary": described.meaning,
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": described.key},
                "bindingVersion": _KAFKA_BINDING,
            }
        },
    }
    if described.headers:
        message["headers"] = {
            "type": "object",
            "properties": dict(described.headers),
            "required": list(described.needed),
        }
    if name in TOPIC_VALUES:
        title, _ = TOPIC_VALUES[name]
        message["title"] = title
        message["payload"] = {"$ref": f"../schemas/json/{name}.json"}
        message["x-schema-id"] = schema_id(name)
    else:
        message["contentType"] = "application/octet-stream"
    return message


def render() -> str:
    """Return the file's text."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"
