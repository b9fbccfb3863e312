"""Write the JSON Schema of every topic's value: `python -m schemas.generate [--check]`.

A value that the models accept is valid by its schema file. Rules between fields (bounds in order, `has` only
with `select`) are checked by the models alone; the descriptions mention them.

Each schema has a version of its own in its `$id`: `urn:streamseg:TOPIC:MAJOR.MINOR`. Against the last release
MINOR is higher if the schema says anything else, and MAJOR if a value of an input that was valid is not valid
any more, or if an output has more than new fields. `tests/schemas/test_compatibility.py` says which.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from schemas.audit import AuditEntry
from schemas.catalogue import CATALOGUE_VALUE
from schemas.changes import ChannelSuppression, MembershipChange, SegmentMembership
from schemas.commands import SEGMENT_COMMAND
from schemas.definitions import SegmentDefinition
from schemas.events import BehaviorEvent
from schemas.topics import (
    AUDIT,
    BEHAVIOR_EVENTS,
    CHANNEL_SUPPRESSIONS,
    CONTACT_UPDATES,
    MEMBERSHIP_CHANGES,
    SEGMENT_CATALOG,
    SEGMENT_COMMANDS,
    SEGMENT_DEFINITIONS,
    SEGMENT_MEMBERSHIPS,
)
from schemas.updates import ContactUpdate


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:
        # A title that repeats the key says nothing.
        return False


FOLDER: Final = Path(__file__).parent / "json"

TOPIC_VALUES: Final[dict[str, tuple[str, TypeAdapter[Any]]]] = {
    CONTACT_UPDATES: ("ContactUpdate", TypeAdapter(ContactUpdate)),
    BEHAVIOR_EVENTS: ("BehaviorEvent", TypeAdapter(BehaviorEvent)),
    SEGMENT_COMMANDS: ("SegmentCommand", SEGMENT_COMMAND),
    SEGMENT_DEFINITIONS: ("SegmentDefinition", TypeAdapter(SegmentDefinition)),
    MEMBERSHIP_CHANGES: ("MembershipChange", TypeAdapter(MembershipChange)),
    SEGMENT_MEMBERSHIPS: ("SegmentMembership", TypeAdapter(SegmentMembership)),
    CHANNEL_SUPPRESSIONS: ("ChannelSuppression", TypeAdapter(ChannelSuppression)),
    SEGMENT_CATALOG: ("CatalogueValue", CATALOGUE_VALUE),
    AUDIT: ("AuditEntry", TypeAdapter(AuditEntry)),
}
"""Title and validator of the value on every topic. Dead letters have none: they are bytes as they were
read."""


VERSIONS: Final = {
    CONTACT_UPDATES: "2.0",
    BEHAVIOR_EVENTS: "2.0",
    SEGMENT_COMMANDS: "2.0",
    SEGMENT_DEFINITIONS: "2.0",
    MEMBERSHIP_CHANGES: "1.1",
    SEGMENT_MEMBERSHIPS: "1.1",
    CHANNEL_SUPPRESSIONS: "1.1",
    SEGMENT_CATALOG: "2.0",
    AUDIT: "1.0",
}
"""The version of each schema. Those of release 0.1.0, whose `$id`s had none, count as 1.0."""


def schema_id(topic: str) -> str:
    """Return the `$id` of the schema of the value on `topic`."""
    return f"urn:streamseg:{topic}:{VERSIONS[topic]}"


def json_schema(topic: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the value on `topic`."""
    title, adapter = TOPIC_VALUES[topic]
    body = adapter.json_schema(mode="validation", by_alias=True, schema_generator=_Generator)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": schema_id(topic)}
    return {**head, **body, "title": title}


def render(topic: str) -> str:
    """Return the file's text."""
    return json.dumps(json_schema(topic), ensure_ascii=False, indent=2) + "\n"


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of the files that are missing, differ from the generated text, or belong to no
    topic."""
    wanted = {f"{topic}.json": render(topic) for topic in TOPIC_VALUES}
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(folder: Path = FOLDER) -> None:
    """Write the files that are not current and remove those that belong to no topic."""
    folder.mkdir(exist_ok=True)
    for name in stale(folder):
        topic = name.removesuffix(".json")
        if topic in TOPIC_VALUES:
            (folder / name).write_text(render(topic), encoding="utf-8")
        else:
            (folder / name).unlink()


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Return 1 if `--check` finds a file that is not current, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m schemas.generate", description="Writes the JSON Schema of every topic's value."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    names = stale()
    for name in names:
        print(f"{FOLDER / name} is not current; run python -m schemas.generate", file=sys.stderr)
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
