"""Error paths, and the choice of the reported error."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.definitions import SegmentDefinition
from schemas.paths import error_path, first_error, join_path


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        ((), ""),
        (("name",), "name"),
        (("clusters", 0, "conditions", 1, "operator"), "clusters[0].conditions[1].operator"),
        ((2, "a"), "[2].a"),
        (("attributes", "a.b"), "attributes.a\\.b"),
        (("attributes", "<x>"), "attributes.<x>"),
    ],
)
def test_a_location_becomes_a_path(loc: tuple[int | str, ...], path: str) -> None:
    assert error_path(loc) == path


@pytest.mark.parametrize(
    ("base", "rest", "path"),
    [("", "", ""), ("a", "", "a"), ("", "b", "b"), ("a", "b", "a.b"), ("a", "[0]", "a[0]")],
)
def test_paths_are_joined(base: str, rest: str, path: str) -> None:
    assert join_path(base, rest) == path


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ({"sample": 2}, "sample"),
        ({"event": "a", "window": {"last": 7}}, "window.last"),
        ({"event": "a", "window": {"last": "P7D", "<last>": 1}}, "window.<last>"),
        ({"attribute": "a", "operator": "is_set", "<attribute>": 1}, "<attribute>"),
        ({"attribute": "a", "operator": "is_set", "<x>": 1}, "<x>"),
    ],
)
def test_a_path_has_keys_and_no_tags_of_unions(condition: dict[str, Any], path: str) -> None:
    value = {
        "segment_id": "s",
        "name": "s",
        "type": "standard",
        "clusters": [{"match": "all", "conditions": [condition]}],
    }
    with pytest.raises(ValidationError) as caught:
        SegmentDefinition.model_validate(value)
    assert first_error(caught.value)[0] == f"clusters[0].conditions[0].{path}"


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
