"""The vocabulary for forms has every operator with its names, and follows from the operator table."""

from __future__ import annotations

from schemas.definitions import SegmentDefinition
from schemas.operands import BY_NAME, OPERATORS
from streamseg.wording.vocabulary import event_label, fixed_vocabulary, property_label


def test_every_operator_is_there_with_names_that_have_no_braces() -> None:
    listed = {one["name"]: one for one in fixed_vocabulary()["operators"]}
    assert set(listed) == OPERATORS
    for name, one in listed.items():
        row = BY_NAME[name]
        assert (one["positive"], one["operand"], one["kinds"]) == (row.name, row.operand, sorted(row.kinds))
        for language in ("zh", "en"):
            assert one["label"][language]
            assert "{" not in one["label"][language]
    assert listed["eq"]["label"] == {"zh": "等于", "en": "is"}
    assert listed["between"]["label"] == {"zh": "在…之间", "en": "is between"}
    assert listed["is_set"]["operand"] is None


def test_the_examples_of_windows_are_windows() -> None:
    for window in fixed_vocabulary()["windows"]:
        condition = {"event": "e", "window": window["example"]}
        SegmentDefinition.model_validate(
            {
                "segment_id": "s",
                "name": "s",
                "type": "standard",
                "clusters": [{"match": "all", "conditions": [condition]}],
            }
        )


def test_only_standard_names_have_labels() -> None:
    assert event_label("form_submit") == {"zh": "表单提交", "en": "form submission"}
    assert event_label("order_paid") is None
    assert property_label("form_submit", "form") == {"zh": "表单", "en": "form"}
    assert property_label("order_paid", "form") is None
