"""Contacts are found by the beginnings of their ids, and what happened to one is listed, over all workers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from streamseg.times import DAY_MS, format_ms
from tests.agents.api.two_workers import AT_MS, Ask, Installation, asking


def paged(pages: Any, key: str) -> list[Any]:
    return [one for page in pages for one in page[key]]


async def every_page(ask: Ask, path: str, cursor: str) -> list[Any]:
    pages, after = [], None
    while True:
        status, page = await ask(path + (f"&{cursor}={after}" if after is not None else ""))
        assert status == 200
        pages.append(page)
        after = page["next_cursor"]
        if after is None:
            return pages


@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("prefix", ["c", "c1", "c1%2F", "d", "人", ""])
def test_each_contact_with_the_prefix_is_on_exactly_one_page(limit: int, prefix: str) -> None:
    ids = [
        "b",
        "c",
        "c1",
        "c1/",
        "c1/a",
        "c10",
        "c\x00",
        "人",
        "人1",
        "é",
        *(f"c2-{one}" for one in range(30)),
    ]
    installation = Installation()
    for contact_id in ids:
        installation.contact(contact_id)
    installation.contact("c1-erased")
    installation.contact("c1-erased", deleted=True)
    wanted = sorted(one for one in ids if one.startswith(prefix.replace("%2F", "/")))

    async def questions(ask: Ask) -> None:
        pages, after = [], None
        while True:
            more = "" if after is None else f"&after={quote(after, safe='')}"
            status, page = await ask(f"/contacts?q={prefix}&limit={limit}{more}")
            assert status == 200
            assert len(page["contacts"]) <= limit
            pages.append(page)
            after = page["next_cursor"]
            if after is None:
                break
        assert [one["contact_id"] for one in paged(pages, "contacts")] == wanted

    asking(installation, questions)


def test_a_found_contact_has_its_name() -> None:
    installation = Installation()
    installation.contact("c1", attributes={"name": "李雷"})
    installation.contact("c2", attributes={"name": "x"})
    installation.contact("c2", at_ms=AT_MS + 1, attributes={"name": None})

    async def questions(ask: Ask) -> None:
        _, page = await ask("/contacts?q=c")
        assert page["contacts"] == [
            {"contact_id": "c1", "name": "李雷", "known_since": format_ms(AT_MS)},
            {"contact_id": "c2", "name": None, "known_since": format_ms(AT_MS)},
        ]
        for wrong in ("limit=0", "limit=201", "limit=x"):
            status, problem = await ask(f"/contacts?{wrong}")
            assert (status, problem["path"]) == (422, "limit")

    asking(installation, questions)


@pytest.mark.parametrize("contact_id", ["c1", "c2", "c3"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_what_happened_is_listed_from_the_latest_on_each_row_once(contact_id: str, limit: int) -> None:
    installation = Installation()
    clicked = {"event": "email_click", "count": {"operator": "ge", "value": 2}}
    installation.segment("clickers", "ann", clicked)
    installation.contact(contact_id, attributes={"city": "上海"})
    times = [AT_MS + 1, AT_MS + 3, AT_MS + 3, AT_MS + 2, AT_MS + 9]
    for number, at_ms in enumerate(times):
        installation.event(contact_id, f"e{number}", "email_click", at_ms, n=number)

    async def questions(ask: Ask) -> None:
        pages = await every_page(ask, f"/contacts/{contact_id}/timeline?limit={limit}", "cursor")
        rows = paged(pages, "rows")
        told = [(row["at"], row.get("event_id") or row["segment_id"]) for row in rows]
        later = [(AT_MS + 9, "e4"), (AT_MS + 3, "clickers"), (AT_MS + 3, "e2"), (AT_MS + 3, "e1")]
        assert told[:-1] == [
            (format_ms(at_ms), name) for at_ms, name in [*later, (AT_MS + 2, "e3"), (AT_MS + 1, "e0")]
        ]
        assert rows[1] == {
            "at": format_ms(AT_MS + 3),
            "kind": "membership",
            "segment_id": "clickers",
            "change": "entered",
            "sequence": 1,
            "segment_version": 1,
            "reason": {"kind": "behavior_event", "ref": "e1"},
        }
        assert (rows[0]["properties"], rows[0]["derived"], rows[0]["label"]) == ({"n": 4}, False, "邮件点击")
        last = rows[-1]
        assert (last["event"], last["derived"], last["at"]) == ("attribute_changed", True, format_ms(AT_MS))
        _, english = await ask(f"/contacts/{contact_id}/timeline?limit=1", **{"Accept-Language": "en"})
        assert english["rows"][0]["label"] == "e-mail click"

    asking(installation, questions)


def test_memberships_of_segments_that_the_account_does_not_see_are_left_out() -> None:
    installation = Installation()
    installation.segment("anns", "ann", {"attribute": "contact_id", "operator": "is_set"})
    installation.contact("c1")

    async def questions(ask: Ask) -> None:
        for account, rows in (("ann", 1), ("ben", 0)):
            _, page = await ask("/contacts/c1/timeline", account)
            assert len(page["rows"]) == rows

    asking(installation, questions)


def test_events_past_retention_are_not_listed() -> None:
    installation = Installation()
    installation.event("c1", "old", "click", AT_MS)
    installation.event("c1", "new", "click", AT_MS + 11 * DAY_MS)

    async def questions(ask: Ask) -> None:
        _, page = await ask("/contacts/c1/timeline")
        assert [row["event_id"] for row in page["rows"]] == ["new"]

    asking(installation, questions)


def test_an_unknown_contact_and_a_wrong_cursor_are_problems() -> None:
    installation = Installation()
    installation.contact("c1")

    async def questions(ask: Ask) -> None:
        for contact_id in ("nobody", "c2", "c3"):
            status, problem = await ask(f"/contacts/{contact_id}/timeline")
            assert (status, problem["code"], problem["path"]) == (404, "not_found", "contact_id")
        for cursor in ("", "x", "bnVsbA==", "WzEsMiwzXQ==", "WyIxIiwwLCJlIixmYWxzZV0="):
            status, problem = await ask(f"/contacts/c1/timeline?cursor={cursor}")
            assert (status, problem["code"], problem["path"]) == (422, "invalid_schema", "cursor")

    asking(installation, questions)


@pytest.mark.parametrize("contact_id", ["c1", "c2", "c3"])
def test_events_are_counted_by_the_days_of_a_time_zone(contact_id: str) -> None:
    installation = Installation()
    hour_ms = DAY_MS // 24
    # In Shanghai these are 07:59 on 1 May, 23:59 on 1 May, and 00:00 on 2 May.
    for number, at_ms in enumerate((AT_MS - 60_000, AT_MS + 16 * hour_ms - 60_000, AT_MS + 16 * hour_ms)):
        installation.event(contact_id, f"e{number}", "email_click", at_ms)
    installation.event(contact_id, "other", "bought", AT_MS + 1)

    async def questions(ask: Ask) -> None:
        path = f"/contacts/{contact_id}/calendar?month=2026-05"
        _, found = await ask(f"{path}&timezone=Asia/Shanghai")
        click = {"event": "email_click", "label": "邮件点击"}
        assert found["days"] == [
            {
                "day": "2026-05-01",
                "events": [{**click, "count": 2}, {"event": "bought", "count": 1, "label": None}],
            },
            {"day": "2026-05-02", "events": [{**click, "count": 1}]},
        ]
        assert found["months"] == ["2026-05"]
        _, found = await ask(f"{path}&timezone=UTC")
        assert [(day["day"], sum(one["count"] for one in day["events"])) for day in found["days"]] == [
            ("2026-05-01", 3)
        ]
        assert found["months"] == ["2026-04", "2026-05"]
        status, problem = await ask(f"/contacts/{contact_id}/calendar?month=2026-13")
        assert (status, problem["path"]) == (422, "month")
        status, problem = await ask(f"{path}&timezone=Mars/Base")
        assert (status, problem["path"]) == (422, "timezone")

    asking(installation, questions)


def test_each_attribute_has_the_time_at_which_it_was_set() -> None:
    installation = Installation()
    installation.contact(
        "c1", attributes={"city": "上海", "points": 1}, updated_at=AT_MS, tags={"add": ["vip"]}
    )
    later = {"updated_at": AT_MS + 5, "attributes": {"points": 2, "city": None}}
    installation.contact("c1", AT_MS + 5, **later)

    async def questions(ask: Ask) -> None:
        _, found = await ask("/contacts/c1")
        assert found["updated_at"] == {"points": format_ms(AT_MS + 5), "tags": format_ms(AT_MS)}

    asking(installation, questions)
