"""The published JSON Schema files equal those that the models generate."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import generate

TOPICS = sorted(generate.TOPIC_VALUES)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in a schema, outermost first."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def test_the_files_are_current() -> None:
    assert generate.stale() == []
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("topic", TOPICS)
def test_a_file_names_its_dialect_itself_and_its_value(topic: str) -> None:
    schema = json.loads((generate.FOLDER / f"{topic}.json").read_text(encoding="utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.fullmatch(rf"urn:streamseg:{topic}:[1-9]\d*\.\d+", schema["$id"])
    assert schema["title"]
    assert schema["description"] if schema.get("type") == "object" else schema["oneOf"]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_model_is_described_and_closed(topic: str) -> None:
    for name, schema in generate.json_schema(topic).get("$defs", {}).items():
        assert schema["description"], name
        assert schema["additionalProperties"] is False, name


@pytest.mark.parametrize("topic", TOPICS)
def test_references_resolve_and_patterns_compile(topic: str) -> None:
    schema = generate.json_schema(topic)
    for part in objects(schema):
        if isinstance(part.get("$ref"), str):
            assert part["$ref"].removeprefix("#/$defs/") in schema["$defs"]
        if isinstance(part.get("pattern"), str):
            re.compile(part["pattern"])


def test_what_is_not_current_is_named_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "json"
    shutil.copytree(generate.FOLDER, folder)
    (folder / "contact-updates.json").write_text("{}", encoding="utf-8")
    (folder / "behavior-events.json").unlink()
    (folder / "forgotten.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(generate, "FOLDER", folder)

    assert generate.stale(folder) == ["behavior-events.json", "contact-updates.json", "forgotten.json"]
    generate.write(folder)
    assert generate.stale(folder) == []
    assert sorted(path.stem for path in folder.iterdir()) == TOPICS
    assert capsys.readouterr().out == ""
