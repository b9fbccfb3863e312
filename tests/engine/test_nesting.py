"""JSON that is nested too deep is refused, before anything tries to write it again."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamseg.engine.explain import explain_all
from streamseg.errors import RejectedError
from streamseg.json_text import dumps
from streamseg.nesting import NESTING_LIMIT, exceeds_limit, read_json
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.store.opening import open_store
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, all_of, event, ms, segment, tick, update

READ = 1_024
"""How deep orjson reads; it writes 254 levels."""
WRAPPED = [
    case("an attribute", "attributes.tree", lambda inner: update("05-01", {"name": "a", "tree": inner})),
    case("a list", "attributes.tree", lambda inner: update("05-01", {"tree": inner, "name": "a"})),
    case("a property", "properties.tree", lambda inner: event("05-01", "buy", {"tree": inner})),
    case("a name with a dot", r"properties.a\.b", lambda inner: event("05-01", "buy", {"a.b": inner})),
]


def nested(levels: int) -> Any:
    """Objects and lists in one another by turns."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(("path", "wrap"), WRAPPED)
@pytest.mark.parametrize("levels", [NESTING_LIMIT - 1, 252, 253, 300, READ - 3])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_it_is_a_dead_letter_and_the_rest_goes_on(path: str, wrap: Any, levels: int, as_bytes: bool) -> None:
    lines = [segment(EVERYBODY), wrap(nested(levels)), tick("05-02"), update("05-03", of="c2")]
    found = heard(*((dumps(line) for line in lines) if as_bytes else lines))
    assert found.refusals == [("invalid_schema", path)]
    assert found.lines_refused == [2]
    assert found.changes == ["05-03 c2 s entered (contact_update)"]


@pytest.mark.parametrize("levels", [NESTING_LIMIT - 1, 900, 1_000, READ - 3])
def test_so_it_is_beside_a_text_of_many_digits(levels: int) -> None:
    # Such a text is read by the standard library too, which stops at fewer levels.
    buys = event("05-01", "buy", {"tree": nested(levels)}, id_="1" * 20)
    lines = [segment(EVERYBODY), buys, update("05-03", of="c2")]
    found = heard(*(dumps(line) for line in lines))
    assert found.refusals == [("invalid_schema", "properties.tree")]
    assert found.changes == ["05-03 c2 s entered (contact_update)"]


@pytest.mark.parametrize(("path", "wrap"), WRAPPED)
def test_its_timestamp_still_moves_the_clock(path: str, wrap: Any) -> None:
    run = heard(wrap(nested(300))).run
    assert run.partition.clock_ms == ms("05-01")


@pytest.mark.parametrize("levels", [READ, 50_000])
def test_a_line_that_is_too_deep_to_be_read_is_one_too(levels: int) -> None:
    deep = b'{"topic":"behavior-events","value":' + b"[" * levels + b"]" * levels + b"}"
    found = heard(dumps(segment(EVERYBODY)), deep, dumps(update("05-03")))
    assert found.refusals == [("invalid_schema", "")]
    assert found.lines_refused == [2]
    assert found.changes == ["05-03 s entered (contact_update)"]


@pytest.mark.parametrize("line", [{"tick": nested(300)}, {"topic": "clicks", "value": nested(300)}])
def test_a_line_that_is_no_record_may_be_deep_too(line: Line) -> None:
    assert heard(line).refusals[0][0] == "invalid_schema"


@pytest.mark.parametrize("levels", [150, 300, READ - 20])
def test_so_is_a_definition(levels: int) -> None:
    line = segment({"attribute": "a", "operator": "eq", "value": nested(levels)})
    assert heard(line, update("05-01")).refusals == [("invalid_schema", "clusters[0]")]


@pytest.mark.parametrize("levels", [NESTING_LIMIT + 1, 300, READ + 1])
@pytest.mark.parametrize("topic", ["contact-updates", "behavior-events"])
def test_a_worker_refuses_it_with_its_bytes_unchanged(topic: str, levels: int) -> None:
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    value = b" " + b"[" * levels + b"]" * levels
    run.partition.take(Record(topic, 0, 7, ms("05-01"), b"c1", value))
    ((letter),) = letters
    assert (letter.code, letter.record.value) == ("invalid_schema", value)
    assert "100" in letter.message


def test_what_is_just_flat_enough_fits_everywhere(tmp_path: Path) -> None:
    deep, other = nested(NESTING_LIMIT - 2), [nested(NESTING_LIMIT - 3)]
    is_set = {"attribute": "tree", "operator": "is_set"}
    moving = {"property": "at", "operator": "within_last", "value": "P9D"}
    property_set = {"property": "tree", "operator": "is_set"}
    lines = [
        segment(is_set, {**is_set, "held": {"at_least": "P1D"}}, of="held"),
        segment({"event": "attribute_changed", "where": all_of({**property_set, "property": "new"})}),
        segment(
            {
                "event": "buy",
                "where": all_of(moving, property_set),
                "window": {"last": "P9D"},
                "aggregate": {"function": "distinct", "property": "tree", "operator": "ge", "value": 1},
            },
            of="distinct",
        ),
        update("05-01", {"tree": deep}),
        update("05-02", {"tree": other}),
        event("05-02", "buy", {"tree": deep, "at": "2026-05-01"}),
        tick("05-04"),
    ]
    with open_store(tmp_path / "state") as store:
        run = Replay(settings=Settings(), store=store)
        for line in lines:
            run.line(orjson.dumps(line))
            store.save()
        assert [orjson.dumps(one) for one in explain_all(run.contacts(), run.partition.plan, ms("05-04"))]
        assert {one["segment_id"] for one in run.members()} == {"held", "s", "distinct"}
        ((contact, events),) = run.contacts()
        assert contact.copy() == contact
        assert [one.properties["tree"] for one in events if not one.derived] == [deep]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.sampled_from('a"\\[{]}:,é')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('a"[')), inner),
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(JSON, st.integers(0, 300))
def test_any_value_is_written_as_it_is_and_measured_rightly(value: Any, more: int) -> None:
    inner = orjson.dumps(value)
    text = b'{"a":[' * more + inner + b"]}" * more
    for _ in range(more):
        value = {"a": [value]}
    assert dumps(value) == text
    levels = depth(orjson.loads(inner)) + 2 * more
    assert exceeds_limit(text) == (levels > NESTING_LIMIT)
    if levels > NESTING_LIMIT:
        with pytest.raises(RejectedError) as refusal:
            read_json(text)
        assert refusal.value.code == "invalid_schema"
    else:
        assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    [b"{" * 100, b'"[[[" ' * 100, b"]" * 200 + b"[", b'{"a": ' + b'"[' * 101, b'"' + b'\\"[' * 200],
)
def test_what_is_no_json_is_told_from_what_is_too_deep(text: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        read_json(text)
    assert refusal.value.code == "invalid_json"


@pytest.mark.parametrize("text", [b'"' * 500_000, b'\\"' * 500_000, b'"\\' * 500_000, b"[" * 1_000_000])
def test_a_whole_record_of_anything_is_measured_in_no_time(text: bytes) -> None:
    started = perf_counter()
    exceeds_limit(text)
    assert perf_counter() - started < 2
