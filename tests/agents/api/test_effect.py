"""What a draft would change is what saving it changes; its numbers are added over partitions."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from agents.api.drafts import Draft, Drafts
from agents.api.partitions import LocalPartitions
from streamseg.engine.effect import MOST_REASONS, Effect
from streamseg.json_text import dumps, loads
from streamseg.replay import Replay
from streamseg.settings import Settings

SETTINGS = Settings()
AT_MS = 1_777_593_600_000
CITIES = ("上海", "北京", None)


def at_least(points: int) -> dict[str, Any]:
    return {"attribute": "points", "operator": "ge", "value": points}


CITY = {"attribute": "city", "operator": "eq", "value": "上海"}
CLICKED = {"event": "click", "count": {"operator": "ge", "value": 2}}


def standard(*conditions: dict[str, Any], match: str = "all") -> dict[str, Any]:
    return {"type": "standard", "name": "s", "clusters": [{"match": match, "conditions": [*conditions]}]}


def advanced(*parts: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "advanced",
        "name": "s",
        "parts": [
            {"relation": relation, "clusters": [{"match": "all", "conditions": [condition]}]}
            for relation, condition in parts
        ],
    }


def replayed(*definitions: dict[str, Any]) -> Replay:
    """Twenty contacts with points, cities and clicks, under these versions of the segment `s`."""
    run = Replay(settings=SETTINGS)
    for definition in definitions[:1]:
        save(run, definition)
    for number in range(20):
        key = f"c{number:02d}"
        value = {"contact_id": key, "attributes": {"points": number, "city": CITIES[number % 3]}}
        run.line({"topic": "contact-updates", "timestamp": AT_MS, "key": key, "value": value})
        for click in range(number % 4):
            happened = {"event_id": f"e{click}", "contact_id": key, "event": "click", "occurred_at": AT_MS}
            run.line({"topic": "behavior-events", "timestamp": AT_MS, "key": key, "value": happened})
    for definition in definitions[1:]:
        save(run, definition)
    return run


def save(run: Replay, definition: dict[str, Any]) -> None:
    value = {"segment_id": "s", **definition}
    run.line({"topic": "segment-definitions", "timestamp": AT_MS, "key": "s", "value": value})


def members(run: Replay) -> list[str]:
    return [contact_id for contact_id, _, _ in run.store.members("s")]


def compiled(run: Replay, draft: dict[str, Any]) -> Draft:
    topic = SimpleNamespace(definitions=SimpleNamespace(plan=run.partition.plan))
    drafts = Drafts(SETTINGS, None, topic)  # type: ignore[arg-type]
    return asyncio.run(drafts.compiled({"segment_id": "s", **draft}, compared=True))


def compared(run: Replay, draft: dict[str, Any], sample: int = 100) -> Effect:
    task = SimpleNamespace(store=run.store, partition=run.partition)
    scheduler = SimpleNamespace(find=lambda number: task if number == 0 else None)
    one = compiled(run, draft)
    effect = Effect(one.segment, one.in_force, sample)
    local = LocalPartitions(scheduler, SETTINGS)
    asyncio.run(local.compare([0], one.plan, effect))
    return effect


DEFINITIONS = [
    standard(at_least(10)),
    standard(at_least(5)),
    standard(CITY),
    standard(CITY, at_least(12)),
    standard(CITY, CLICKED, match="any"),
    standard(CLICKED, at_least(3)),
    standard({**CLICKED, "not": True}),
]
PARTED = [
    advanced(("include", at_least(10))),
    advanced(("include", at_least(5)), ("exclude", CITY)),
    advanced(("include", CITY), ("include", CLICKED), ("exclude", at_least(15))),
]
PAIRS = [
    (before, after)
    for kind in (DEFINITIONS, PARTED)
    for before in kind
    for after in kind
    if before is not after
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_those_who_would_enter_and_leave_do_when_the_draft_is_saved(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    run = replayed(before)
    was = set(members(run))
    effect = compared(run, after)
    assert set(members(run)) == was, "asking changes nothing"
    save(run, after)
    now = set(members(run))
    assert effect.known == 20
    assert effect.members.sample == sorted(now)
    assert effect.entering.sample == sorted(now - was)
    assert effect.leaving.sample == sorted(was - now)
    assert effect.staying.sample == sorted(now & was)
    shown = effect.shown()
    for group in (shown["entering"], shown["leaving"]):
        assert bool(group["reasons"]) == bool(group["contacts"])


def test_a_new_segment_has_nobody_to_leave_and_gives_no_reasons() -> None:
    effect = compared(replayed(), standard(at_least(15)))
    shown = effect.shown()
    assert shown["with_version"] is None
    assert shown["entering"] == {"contacts": 5, "sample": [f"c{one}" for one in range(15, 20)], "reasons": []}
    assert shown["leaving"]["contacts"] == shown["staying"]["contacts"] == 0


def test_reasons_name_the_conditions_that_keep_contacts_out() -> None:
    run = replayed(standard(at_least(10)))
    shown = compared(run, standard(at_least(5), CITY)).shown()
    assert shown["with_version"] == 1
    (entered,) = shown["entering"]["reasons"]
    # c06 and c09 are from Shanghai and have fewer than ten points.
    assert entered == {
        "definition": "in_force",
        "part": 0,
        "cluster": 0,
        "condition": 0,
        "holds": False,
        "contacts": 2,
        "test": at_least(10),
    }
    (left,) = shown["leaving"]["reasons"]
    assert (left["definition"], left["condition"], left["test"]) == ("draft", 1, CITY)
    assert left["contacts"] == shown["leaving"]["contacts"] == 7


def test_an_excluding_part_that_holds_is_a_reason_of_its_own() -> None:
    run = replayed(advanced(("include", at_least(10))))
    shown = compared(run, advanced(("include", at_least(10)), ("exclude", CITY))).shown()
    (left,) = shown["leaving"]["reasons"]
    assert (left["part"], left["cluster"], left["condition"], left["holds"]) == (1, None, None, True)
    assert left["contacts"] == shown["leaving"]["contacts"] == 3
    assert left["test"] is None


def test_each_part_cluster_and_condition_is_counted_by_itself() -> None:
    (part,) = compared(replayed(), standard(at_least(15), CITY)).shown()["parts"]
    (cluster,) = part["clusters"]
    assert [one["contacts"] for one in cluster["conditions"]] == [5, 7]
    assert (part["contacts"], cluster["contacts"], part["relation"]) == (2, 2, "include")
    assert cluster["conditions"][1]["condition"] == CITY


def test_the_effect_on_two_partitions_is_added() -> None:
    before, after = standard(at_least(10)), standard(at_least(5), CITY)
    whole = compared(replayed(before), after, sample=3)
    one = compiled(replayed(before), after)
    both = Effect(one.segment, one.in_force, 3)
    for _ in range(2):
        both.merge(loads(dumps(whole.wire())))
    assert both.known == 40
    assert both.leaving.contacts == 2 * whole.leaving.contacts
    assert both.leaving.sample == sorted(whole.leaving.sample * 2)[:3]
    shown, once = both.shown(), whole.shown()
    assert [one["contacts"] for one in shown["leaving"]["reasons"]] == [
        2 * one["contacts"] for one in once["leaving"]["reasons"]
    ]
    assert shown["parts"][0]["contacts"] == 2 * once["parts"][0]["contacts"]


def test_only_the_most_frequent_reasons_are_listed() -> None:
    run = replayed(standard(at_least(0)))
    shown = compared(run, standard(*(at_least(one) for one in range(1, 2 * MOST_REASONS + 1)))).shown()
    reasons = shown["leaving"]["reasons"]
    assert len(reasons) == MOST_REASONS
    assert [one["contacts"] for one in reasons] == sorted((one["contacts"] for one in reasons), reverse=True)
