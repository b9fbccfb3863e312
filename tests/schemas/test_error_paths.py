"""Error paths, and the choice of the reported error."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.definitions import SegmentDefinition
from schemas.paths import error_path, first_error, join_path


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        ((), ""),
        (("name",), "name"),
        (("clusters", 0, "conditions", 1, "<attribute>", "operator"), "clusters[0].conditions[1].operator"),
        (("clusters", 0, "conditions", 1, "<event>"), "clusters[0].conditions[1]"),
        (("<create>", "definition", "window", "<last>", "last"), "definition.window.last"),
        ((2, "a"), "[2].a"),
        (("attributes", "a.b"), "attributes.a\\.b"),
    ],
)
def test_a_location_becomes_a_path_without_tags(loc: tuple[int | str, ...], path: str) -> None:
    assert error_path(loc) == path


@pytest.mark.parametrize(
    ("base", "rest", "path"),
    [("", "", ""), ("a", "", "a"), ("", "b", "b"), ("a", "b", "a.b"), ("a", "[0]", "a[0]")],
)
def test_paths_are_joined(base: str, rest: str, path: str) -> None:
    assert join_path(base, rest) == path


def test_the_deepest_error_is_told() -> None:
    value = {
        "segment_id": "s",
        "type": "standard",
        "clusters": [{"match": "all", "conditions": [{"sample": 2}]}],
    }
    with pytest.raises(ValidationError) as caught:
        SegmentDefinition.model_validate(value)
    assert caught.value.error_count() == 2
    assert first_error(caught.value) == (
        "clusters[0].conditions[0].sample",
        "must be less than or equal to 1",
    )
