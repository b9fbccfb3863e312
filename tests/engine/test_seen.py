"""What is counted of contacts and events for suggestions: names, types and frequent values, and no values
that identify a person."""

from __future__ import annotations

import re
from typing import Any

import pytest

from streamseg.engine.seen import (
    FEWEST_CONTACTS,
    MOST_NAMES,
    MOST_PROPERTIES,
    MOST_VALUES,
    SeenNames,
    identifies,
)
from streamseg.json_text import dumps, loads
from streamseg.replay import Replay
from streamseg.settings import Settings

AT_MS = 1_777_593_600_000


def counted(*contacts: tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]) -> SeenNames:
    """What is seen of contacts, each with attributes and its events (name, properties)."""
    run = Replay(settings=Settings())
    for number, (attributes, events) in enumerate(contacts):
        key = f"c{number}"
        value = {"contact_id": key, "attributes": attributes}
        run.line({"topic": "contact-updates", "timestamp": AT_MS + number, "key": key, "value": value})
        for index, (name, properties) in enumerate(events):
            happened = {
                "event_id": f"e{index}",
                "contact_id": key,
                "event": name,
                "occurred_at": AT_MS + index,
                "properties": properties,
            }
            run.line({"topic": "behavior-events", "timestamp": AT_MS + index, "key": key, "value": happened})
    names = SeenNames()
    for contact_id in run.store.contact_ids():
        contact = run.store.contact(contact_id)
        assert contact is not None
        names.take(contact, run.store.events(contact_id))
    return names


def listed(seen: Any) -> list[Any]:
    return [one.value for one in seen.frequent]


def test_attributes_are_counted_with_types_and_values() -> None:
    names = counted(
        ({"city": "上海", "points": 1, "tags": ["vip", "new"]}, []),
        ({"city": "上海", "points": "1", "tags": ["vip"]}, []),
        ({"city": "北京", "since": "2026-05-01"}, []),
        ({"city": ""}, []),
    )
    assert names.contacts == 4
    city = names.attributes["city"]
    assert (city.count, city.types, city.last_ms) == (3, {"string": 3}, AT_MS + 2)
    # One contact alone has the other value.
    assert listed(city) == ["上海"]
    assert names.attributes["points"].types == {"number": 1, "string": 1}
    assert listed(names.attributes["points"]) == []
    assert listed(names.attributes["tags"]) == ["vip"]
    assert names.attributes["since"].kind == "time"


def test_events_are_counted_with_their_properties_as_paths() -> None:
    paid = ("paid", {"order": {"amount": 5, "net.sum": 4, "lines[0]": True}, "sku": "a", "none": None})
    names = counted(({}, [paid, paid]), ({}, [paid, ("open", {})]))
    event = names.events["paid"]
    assert (event.seen.count, event.contacts, event.derived) == (3, 2, False)
    assert sorted(event.properties) == ["order.amount", "order.lines\\[0]", "order.net\\.sum", "sku"]
    assert [(one.value, one.count) for one in event.properties["sku"].frequent] == [("a", 3)]
    assert names.events["open"].properties == {}


def test_derived_events_are_marked_and_their_copies_of_values_are_not_listed() -> None:
    names = counted(*[({"city": "上海", "email": "a@b.cn"}, [])] * 3)
    changed = names.events["attribute_changed"]
    assert changed.derived
    assert listed(changed.properties["attribute"]) == ["city", "email"]
    assert changed.properties["new"].values is None


@pytest.mark.parametrize("times", [MOST_VALUES, MOST_VALUES + 1])
def test_a_name_with_many_values_has_none_listed(times: int) -> None:
    names = counted(*[({"code": number}, []) for number in range(times)] * FEWEST_CONTACTS)
    assert len(listed(names.attributes["code"])) == (times if times == MOST_VALUES else 0)


def test_the_numbers_of_names_are_bounded() -> None:
    wide = {f"a{number}": 1 for number in range(MOST_NAMES + 10)}
    names = counted((wide, [("e", wide)]), ({}, [(f"e{number}", {}) for number in range(MOST_NAMES + 10)]))
    assert len(names.attributes) == MOST_NAMES
    assert len(names.events) == MOST_NAMES
    assert len(names.events["e"].properties) == MOST_PROPERTIES


PRIVATE = re.split(
    r"\s+",
    "email mobile name wechat_unionid member_id id e_mail homePhone first_name lastName userName user.id "
    "shipping.address clientId openId sessionID 手机号 收货地址 客户姓名 customer_name",
)
OPEN = re.split(
    r"\s+",
    "location gender tags campaign_id form product_name order.amount scene plan event_name 城市 valid rapid",
)


@pytest.mark.parametrize("name", PRIVATE)
def test_names_that_identify_a_person_are_known(name: str) -> None:
    assert identifies(name)
    names = counted(*[({name: "x"}, [("e", {name: "x"})])] * 3)
    assert all(seen.values is None for seen in names.attributes.values())
    assert all(seen.values is None for seen in names.events["e"].properties.values())


@pytest.mark.parametrize("name", OPEN)
def test_other_names_do_not(name: str) -> None:
    assert not identifies(name)


def test_what_two_partitions_counted_is_added() -> None:
    one = counted(({"city": "上海"}, [("paid", {"sku": "a"})]), ({"email": "a@b.cn"}, []))
    two = counted(({"city": "上海"}, [("paid", {"sku": "a"})]), ({"city": 3}, [("open", {})]))
    both = SeenNames()
    for half in (one, two):
        both.add(loads(dumps(half.wire())))
    assert both.contacts == 4
    assert (both.attributes["city"].count, both.attributes["city"].types) == (3, {"string": 2, "number": 1})
    assert listed(both.attributes["city"]) == ["上海"]
    assert both.attributes["email"].values is None
    assert both.events["paid"].contacts == 2
    assert listed(both.events["paid"].properties["sku"]) == ["a"]
    assert both.events["open"].seen.count == 1


def test_values_of_many_partitions_together_are_too_many() -> None:
    halves = [
        counted(*[({"code": number}, []) for number in range(start, start + 30)] * 2) for start in (0, 30)
    ]
    both = SeenNames()
    for half in halves:
        both.add(half.wire())
    assert both.attributes["code"].values is None
