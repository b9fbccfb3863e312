"""Integers beyond 64 bits: compared by value, kept and written as they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from streamseg.contact.contact import Contact
from streamseg.engine.explain import explain_all
from streamseg.json_text import dumps, dumps_own, loads, loads_own
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore
from tests.engine.cases import case, heard, op, passing
from tests.engine.story import Replayed, all_of, event, segment, tick, update

BIG = 2**64
LONG = [BIG, BIG + 1, -(2**63) - 1, -(2**63) - 2, 10**30, -(10**30), 10**300]
SHORT = [2**64 - 1, 2**63, -(2**63), 0, -0.0, 1.5, 1e22, 1e300, "18446744073709551617", True]


@pytest.mark.parametrize("value", [*LONG, *SHORT], ids=repr)
def test_a_number_is_read_and_written_as_it_is(value: Any) -> None:
    for whole in (value, [value, "x", value], {"a": {"b": [value]}, "at": "2026-05-01T08:00:00.000Z"}):
        own = dumps_own(whole)
        for read in (loads(dumps(whole)), loads(own), loads_own(own)):
            assert read == whole
            assert repr(read) == repr(whole)
    for option in (orjson.OPT_SORT_KEYS, orjson.OPT_INDENT_2, orjson.OPT_APPEND_NEWLINE):
        assert loads(dumps({"b": value, "a": "ü"}, option=option)) == {"b": value, "a": "ü"}


@pytest.mark.parametrize("digits", range(17, 40))
@pytest.mark.parametrize("before", range(6))
def test_it_is_noticed_wherever_it_stands(digits: int, before: int) -> None:
    for number in (10 ** (digits - 1) + 1, -(10 ** (digits - 1)) - 1):
        text = b" " * before + b"[" + str(number).encode() + b"]"
        assert loads(text) == [number]


@pytest.mark.parametrize("text", [b"1e400", b"1" * 310, b'{"a": -1e999}'])
def test_beyond_a_doubles_range_there_is_none(text: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loads(text)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        case("eq", op("eq", BIG), [BIG]),
        case("gt", op("gt", BIG), [BIG + 1, 10**30]),
        case("ge", op("ge", BIG + 1), [BIG + 1, 10**30]),
        case("lt", op("lt", BIG + 1), [BIG - 1, BIG]),
        case("in", op("in", [BIG + 1, BIG - 1]), [BIG - 1, BIG + 1]),
        case("between", op("between", [BIG, BIG]), [BIG]),
    ],
)
def test_operators_compare_it_by_value(changes_of: Replayed, test: Any, expected: list[Any]) -> None:
    assert passing(changes_of, test, [BIG - 1, BIG, BIG + 1, 10**30]) == expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        case("eq an integer", op("eq", 10**23), [10**23, 1e23]),
        case("eq a float", op("eq", 1e23), [10**23, 1e23]),
        case("ge", op("ge", 10**23), [10**23, 1e23, 10**23 + 1]),
        case("gt", op("gt", 1e23), [10**23 + 1]),
        case("lt", op("lt", 1e23), [10**23 - 1]),
        case("in", op("in", [10**23]), [10**23, 1e23]),
        case("in, a float", op("in", [1e23]), [10**23, 1e23]),
        case("between", op("between", [10**23, 1e23]), [10**23, 1e23]),
        case("as a number", op("eq", 1e23, **{"as": "number"}), [10**23, 1e23]),
    ],
)
def test_a_float_is_the_integer_that_it_is_written_as(
    changes_of: Replayed, test: Any, expected: list[Any]
) -> None:
    """The float nearest to 10**23 is a little less than that."""
    values = [10**23 - 1, 10**23, 1e23, 10**23 + 1]
    assert [repr(one) for one in passing(changes_of, test, values)] == [repr(one) for one in expected]


def test_an_attribute_that_is_written_as_a_float_does_not_change(changes_of: Replayed) -> None:
    changed = segment({"event": "attribute_changed", "count": {"operator": "ge", "value": 2}})
    assert changes_of(changed, update("05-01", {"n": 10**23}), update("05-02", {"n": 1e23})) == []
    lines = [
        segment({"attribute": "n", "operator": "ge", "value": 10**23}),
        update("05-01", {"n": 10**23 - 1}),
    ]
    assert changes_of(*lines, update("05-02", {"n": 1e23})) == ["05-02 s entered (contact_update)"]


def test_aggregates_are_exact(changes_of: Replayed) -> None:
    def total(function: str, value: int, **more: Any) -> dict[str, Any]:
        aggregate = {"function": function, "property": "n", "operator": "eq", "value": value}
        return {"event": "buy", "aggregate": aggregate, **more}

    window = {"window": {"last": "P9D"}}
    lines = [
        segment(total("sum", 2 * BIG + 1), of="sum"),
        segment(total("max", BIG + 1), of="max"),
        segment(total("min", BIG), of="min"),
        segment(total("distinct", 2), of="distinct"),
        segment(total("sum", 2 * BIG + 1, **window), of="sum-lately"),
        segment(total("max", BIG + 1, **window), of="max-lately"),
        event("05-01", "buy", {"n": BIG}),
        event("05-01", "buy", {"n": BIG + 1}),
    ]
    found = changes_of(*lines)
    members = {change.split()[1] for change in found if "entered" in change} - {
        change.split()[1] for change in found if "exited" in change
    }
    assert members == {"sum", "max", "min", "distinct", "sum-lately", "max-lately"}


def test_a_change_by_one_is_a_change(changes_of: Replayed) -> None:
    twice = {"event": "attribute_changed", "count": {"operator": "ge", "value": 2}}
    lines = [segment(twice), update("05-01", {"n": BIG}), update("05-02", {"n": BIG + 1})]
    assert changes_of(*lines) == ["05-02 s entered (contact_update)"]


def test_no_number_so_large_is_a_time_or_a_standard_one_lost(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "member_points", **op("gt", BIG)}, of="points"),
        segment({"attribute": "v", **op("after", "2026-01-01")}, of="time"),
        update("05-01", {"member_points": BIG + 1, "created_at": BIG, "v": BIG}),
    ]
    assert changes_of(*lines, refused=[3]) == ["05-01 points entered (contact_update)"]


def test_it_outlives_the_state_on_disk(tmp_path: Path) -> None:
    moving = {
        "event": "buy",
        "where": all_of(
            {"property": "n", **op("eq", BIG + 1)}, {"property": "at", **op("within_last", "P9D")}
        ),
    }
    lines = [
        segment({"attribute": "n", **op("eq", BIG + 1)}),
        segment(moving, of="moving"),
        update("05-01", {"n": BIG + 1, "deep": {"list": [10**30]}}),
        event("05-01", "buy", {"n": BIG + 1, "at": "2026-05-01"}),
    ]
    store = RocksStore(tmp_path / "state")
    run = Replay(settings=Settings(), store=store)
    for line in lines:
        run.line(dumps(line))
    run.settle_definitions()
    pending = store.changes()
    records = [record for group in pending.groups for record in group]
    store.commit(pending, 7)
    store.close()
    assert any(str(BIG + 1).encode() in (value or b"") for _, value in records)

    store = RocksStore(tmp_path / "state")
    contact = store.contact("c1")
    assert contact is not None
    assert (contact.attributes.get("n") or [None])[0] == BIG + 1
    assert (contact.attributes.get("deep") or [None])[0] == {"list": [10**30]}
    bought, *_ = [one for one in store.events("c1") if one.name == "buy"]
    assert bought.properties["n"] == BIG + 1
    changed = {one.properties["new"] for one in store.events("c1") if one.properties.get("attribute") == "n"}
    assert changed == {BIG + 1}
    again = Contact.from_bytes("c1", contact.to_bytes(), contact.attributes.copy())
    assert again == contact
    store.close()


def test_it_is_explained(changes_of: Replayed) -> None:
    run = heard(segment({"attribute": "n", **op("eq", BIG + 1)}), update("05-01", {"n": BIG + 1})).run
    shown = b"".join(
        dumps(one) for one in explain_all(run.contacts(), run.partition.plan, run.partition.clock_ms)
    )
    assert shown.count(str(BIG + 1).encode()) >= 2


def test_a_definition_in_force_is_written_as_it_was() -> None:
    run = Replay(settings=Settings())
    run.line(dumps(segment({"attribute": "n", **op("eq", BIG + 1)})))
    assert str(BIG + 1).encode() in (run.definitions.in_force("s") or b"")


def test_equal_conditions_are_one_and_others_are_not(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "n", **op("eq", BIG)}, of="a"),
        segment({"attribute": "n", **op("eq", BIG + 1)}, of="b"),
        update("05-01", {"n": BIG + 1}),
        tick("05-02"),
    ]
    assert changes_of(*lines) == ["05-01 b entered (contact_update)"]
