"""The acceptance example of docs/segment-language.md reads as the page says."""

from __future__ import annotations

from schemas.definitions import SegmentDefinition
from streamseg.wording.definitions import definition
from tests.docs.pages import section


def test_the_acceptance_example_reads_so() -> None:
    example = section("segment-language.md", "New members from China")
    read = SegmentDefinition.model_validate(example.json[0])
    for sentence in (definition(read, "zh"), definition(read, "en")):
        assert f"- {sentence}\n" in example.text
