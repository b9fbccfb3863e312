"""The glossary: its table of a segment's numbers is what the definitions say."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.topics import SEGMENT_DEFINITIONS
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.docs.pages import section


def buyers(window: str, **more: Any) -> bytes:
    condition = {"event": "order_paid", "window": {"last": window}}
    clusters = [{"match": "all", "conditions": [condition]}]
    return orjson.dumps(
        {"segment_id": "buyers", "name": "买家", "type": "standard", "clusters": clusters, **more}
    )


def test_the_numbers_of_a_segment_are_those_of_the_table() -> None:
    definitions = Definitions(Settings())
    identity = definitions.plan.identity
    columns: list[list[str]] = []
    for offset, value in (
        (4, buyers("P30D")),
        (9, buyers("P60D")),
        (12, buyers("P60D", version=2, group="VIP")),
        (20, None),
        (25, buyers("P60D")),
    ):
        definitions.take(Record(SEGMENT_DEFINITIONS, 0, offset, 0, b"buyers", value))
        plan = definitions.plan
        before, identity = identity, plan.identity
        if value is not None:
            segment = plan.segments["buyers"]
            numbers = (segment.version, segment.born, segment.introduced, plan.generation)
            columns.append([*map(str, numbers), "the same" if identity == before else "another"])
    rows = section("glossary.md", "The numbers of a segment").rows
    assert [row[0] for row in rows][:5] == ["`version`", "born", "introduced", "generation", "identity"]
    assert [list(column) for column in zip(*(row[2:] for row in rows[:5]), strict=True)] == columns
