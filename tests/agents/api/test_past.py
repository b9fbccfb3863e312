"""Who was in a segment, who left it, where a contact was, and how a segment grew, over two workers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from streamseg.times import DAY_MS, HOUR_MS, format_ms
from tests.agents.api.two_workers import AT_MS, Ask, Installation, asking

RECENT = {"event": "click", "window": {"last": "PT1H"}}
CONTACTS = [f"c{number}" for number in range(9)]
END_MS = AT_MS + 5 * HOUR_MS


def clicked() -> Installation:
    """Each contact clicks at an hour of its own; c1, c4 and c7 click again at the fourth hour."""
    installation = Installation()
    installation.segment("recent", "ann", RECENT)
    installation.segment("known", "ann", {"attribute": "contact_id", "operator": "is_set"})
    for contact_id in CONTACTS:
        installation.contact(contact_id)
    clicks = [(AT_MS + number % 3 * HOUR_MS, number) for number in range(9)]
    clicks += [(AT_MS + 4 * HOUR_MS, number) for number in (1, 4, 7)]
    for at_ms, number in sorted(clicks):
        contact_id = CONTACTS[number]
        installation.event(contact_id, f"{contact_id} {at_ms}", "click", at_ms)
    installation.tick(END_MS - 1)
    return installation


async def all_rows(ask: Ask, path: str) -> list[Any]:
    rows: list[Any] = []
    after = ""
    while True:
        status, page = await ask(f"{path}{after}")
        assert status == 200, page
        rows += page["contacts"]
        if page["next_cursor"] is None:
            return rows
        after = f"&after={quote(page['next_cursor'], safe='')}"


@pytest.mark.parametrize("limit", [1, 2, 50])
@pytest.mark.parametrize("prefix", ["", "c", "c1", "c1/", "d", "人", "人1x"])
def test_each_list_of_contacts_is_limited_to_a_beginning_of_their_ids(limit: int, prefix: str) -> None:
    here = ["c", "c1", "c1/", "c1/a", "c10", "c2", "c\x00", "人", "人1"]
    left = [f"{contact_id}-left" for contact_id in here]
    installation = Installation()
    installation.segment("old", "ann", {"attribute": "city", "operator": "is_set"})
    for contact_id in here + left:
        installation.contact(contact_id, attributes={"city": "上海"})
    for contact_id in left:
        installation.contact(contact_id, at_ms=AT_MS + 2, attributes={"city": None})
    installation.tick(AT_MS + 3)

    async def questions(ask: Ask) -> None:
        for query, contact_ids in (
            ("", here),
            (f"&at={AT_MS + 1}", here + left),
            (f"&entered_since={AT_MS}", here),
            (f"&left_since={AT_MS}", left),
        ):
            path = f"/segments/old/contacts?limit={limit}&q={quote(prefix, safe='')}{query}"
            rows = await all_rows(ask, path)
            expected = sorted(one for one in contact_ids if one.startswith(prefix))
            assert [row["contact_id"] for row in rows] == expected, query

    asking(installation, questions)


@pytest.mark.parametrize("limit", [1, 4, 50])
def test_the_members_at_an_instant_are_listed_by_id(limit: int) -> None:
    async def questions(ask: Ask) -> None:
        for hour, members in ((0, [0, 3, 6]), (1, [1, 4, 7]), (2, [2, 5, 8]), (3, []), (4, [1, 4, 7])):
            at_ms = AT_MS + hour * HOUR_MS
            path = f"/segments/recent/contacts?limit={limit}&at={format_ms(at_ms)}"
            rows = await all_rows(ask, path)
            sequence = 3 if hour == 4 else 1
            assert rows == [
                {"contact_id": CONTACTS[number], "entered_at": format_ms(at_ms), "sequence": sequence}
                for number in members
            ]
            _, page = await ask(path)
            assert (page["at"], page["complete_since"]) == (
                format_ms(at_ms),
                format_ms(END_MS - 1 - 10 * DAY_MS),
            )
        assert await all_rows(ask, f"/segments/known/contacts?limit={limit}&at={AT_MS - 1}") == []
        assert len(await all_rows(ask, f"/segments/known/contacts?limit={limit}&at={AT_MS}")) == 9

    asking(clicked(), questions)


@pytest.mark.parametrize("limit", [1, 50])
def test_who_left_is_listed_with_the_time_and_the_reason(limit: int) -> None:
    async def questions(ask: Ask) -> None:
        since = quote(format_ms(AT_MS + 2 * HOUR_MS))
        rows = await all_rows(ask, f"/segments/recent/contacts?limit={limit}&left_since={since}")
        assert [row["contact_id"] for row in rows] == ["c2", "c5", "c8"]
        assert rows[0] == {
            "contact_id": "c2",
            "entered_at": format_ms(AT_MS + 2 * HOUR_MS),
            "left_at": format_ms(AT_MS + 3 * HOUR_MS),
            "sequence": 2,
            "segment_version": 1,
            "reason": {"kind": "time", "ref": None},
        }
        # c1, c4 and c7 left too, and are members again.
        rows = await all_rows(ask, f"/segments/recent/contacts?limit={limit}&left_since={AT_MS}")
        assert [row["contact_id"] for row in rows] == ["c0", "c2", "c3", "c5", "c6", "c8"]

    asking(clicked(), questions)


def test_members_are_found_by_the_time_at_which_they_entered() -> None:
    async def questions(ask: Ask) -> None:
        fourth = AT_MS + 4 * HOUR_MS
        for query, count in (
            (f"entered_since={fourth}", 3),
            (f"entered_since={fourth + 1}", 0),
            (f"entered_before={fourth}", 0),
            (f"entered_before={fourth + 1}", 3),
            (f"entered_since={fourth}&entered_before={fourth + 1}", 3),
        ):
            assert len(await all_rows(ask, f"/segments/recent/contacts?{query}")) == count, query
        assert (await ask("/segments/recent/contacts?entered_since=2020-01-01"))[1].keys() == {
            "contacts",
            "next_cursor",
        }

    asking(clicked(), questions)


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_member_has_the_time_until_which_it_stays(limit: int) -> None:
    async def questions(ask: Ask) -> None:
        rows = await all_rows(ask, f"/segments/recent/contacts?limit={limit}")
        fourth = AT_MS + 4 * HOUR_MS
        assert rows == [
            {
                "contact_id": contact_id,
                "entered_at": format_ms(fourth),
                "sequence": 3,
                "next_change_at": format_ms(fourth + HOUR_MS),
            }
            for contact_id in ("c1", "c4", "c7")
        ]
        rows = await all_rows(ask, f"/segments/known/contacts?limit={limit}")
        assert [row["contact_id"] for row in rows] == CONTACTS
        assert not any("next_change_at" in row for row in rows)

    asking(clicked(), questions)


@pytest.mark.parametrize("contact_id", ["c1", "c2"])
def test_a_contact_is_shown_as_it_was(contact_id: str) -> None:
    async def questions(ask: Ask) -> None:
        path = f"/contacts/{contact_id}/segments"
        at_ms = AT_MS + int(contact_id[1]) * HOUR_MS
        _, found = await ask(f"{path}?at={at_ms}")
        assert found["at"] == format_ms(at_ms)
        assert found["segments"] == [
            {
                "segment_id": "known",
                "entered_at": format_ms(AT_MS),
                "sequence": 1,
                "segment_version": 1,
                "reason": found["segments"][0]["reason"],
            },
            {
                "segment_id": "recent",
                "entered_at": format_ms(at_ms),
                "sequence": 1,
                "segment_version": 1,
                "reason": {"kind": "behavior_event", "ref": f"{contact_id} {at_ms}"},
            },
        ]
        _, before = await ask(f"{path}?at={at_ms - 1}")
        assert [one["segment_id"] for one in before["segments"]] == ["known"]
        assert (await ask(f"{path}?at={AT_MS - 1}"))[1]["segments"] == []
        _, now = await ask(path)
        assert now["at"] == format_ms(END_MS - 1)
        assert [one["segment_id"] for one in now["segments"]] == (
            ["known", "recent"] if contact_id == "c1" else ["known"]
        )
        assert (await ask(f"{path}?at={AT_MS}", "ben"))[1]["segments"] == []

    asking(clicked(), questions)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/segments/recent/contacts", "at"),
        ("/segments/recent/contacts", "left_since"),
        ("/contacts/c1/segments", "at"),
        ("/contacts/c2/segments", "at"),
    ],
)
def test_what_is_no_longer_kept_or_not_known_yet_is_refused(path: str, parameter: str) -> None:
    async def questions(ask: Ask) -> None:
        earliest = END_MS - 1 - 10 * DAY_MS
        status, problem = await ask(f"{path}?{parameter}={earliest - 1}")
        assert (status, problem["code"], problem["path"]) == (410, "not_kept", parameter)
        assert problem["complete_since"] == format_ms(earliest)
        assert format_ms(earliest) in problem["detail"]
        assert (await ask(f"{path}?{parameter}={earliest}"))[0] == 200
        status, problem = await ask(f"{path}?{parameter}={END_MS}")
        assert (status, problem["code"], problem["path"]) == (422, "timestamp_in_future", parameter)
        assert (await ask(f"{path}?{parameter}={END_MS - 1}"))[0] == 200
        for wrong in ("", "yesterday", "1e3", "99999999999999999999"):
            status, problem = await ask(f"{path}?{parameter}={wrong}")
            assert (status, problem["path"]) == (422, parameter), wrong

    asking(clicked(), questions)


def test_two_lists_at_once_are_refused() -> None:
    async def questions(ask: Ask) -> None:
        status, problem = await ask(f"/segments/recent/contacts?at={AT_MS}&entered_before={AT_MS}")
        assert (status, problem["code"], problem["path"]) == (422, "invalid_schema", "at")
        status, problem = await ask(f"/segments/recent/contacts?at={AT_MS}&left_since={AT_MS}")
        assert (status, problem["code"]) == (422, "invalid_schema")

    asking(clicked(), questions)


def test_growth_is_summed_over_workers_by_hour_and_by_day() -> None:
    async def questions(ask: Ask) -> None:
        path = f"/segments/recent/growth?until={END_MS - 1}"
        status, found = await ask(f"{path}&by=hour&since={AT_MS + 1}")
        assert status == 200
        told = [
            (one["start"], one["contacts"], one["entered"], one["left"], one["complete"])
            for one in found["buckets"]
        ]
        click, gone = {"behavior_event": 3}, {"time": 3}
        assert told == [
            (format_ms(AT_MS), 3, click, {}, True),
            (format_ms(AT_MS + HOUR_MS), 3, click, gone, True),
            (format_ms(AT_MS + 2 * HOUR_MS), 3, click, gone, True),
            (format_ms(AT_MS + 3 * HOUR_MS), 0, {}, gone, True),
            (format_ms(AT_MS + 4 * HOUR_MS), 3, click, {}, False),
        ]
        assert (found["contacts"], found["by"], found["timezone"]) == (3, "hour", "Asia/Shanghai")
        _, found = await ask(f"{path}&since={AT_MS}")
        (day,) = found["buckets"]
        assert (day["start"], day["end"]) == ("2026-04-30T16:00:00.000Z", "2026-05-01T16:00:00.000Z")
        assert (day["contacts"], day["entered"], day["left"]) == (
            3,
            {"behavior_event": 12},
            {"time": 9},
        )
        _, found = await ask(f"{path}&since={AT_MS}&timezone=Asia/Kathmandu&by=hour")
        assert found["buckets"][0]["start"] == "2026-04-30T23:15:00.000Z"

    asking(clicked(), questions)


def test_buckets_from_before_changes_are_complete_are_left_out() -> None:
    async def questions(ask: Ask) -> None:
        path = f"/segments/recent/growth?until={END_MS - 1}"
        _, found = await ask(f"{path}&since=2026-01-01")
        assert found["complete_since"] == format_ms(END_MS - 1 - 10 * DAY_MS)
        first = found["buckets"][0]
        assert first["start"] < found["complete_since"] < first["end"]
        assert [one["complete"] for one in found["buckets"][:2]] == [False, True]

    asking(clicked(), questions)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("by=week", "by"),
        ("timezone=Mars/Base", "timezone"),
        ("since=x", "since"),
        ("until=x", "until"),
        ("since=2026-05-02&until=2026-05-01", "since"),
        ("since=2200-01-01", "since"),
        ("by=hour&since=2020-01-01", "since"),
    ],
)
def test_wrong_questions_for_growth_name_the_parameter(query: str, path: str) -> None:
    async def questions(ask: Ask) -> None:
        status, problem = await ask(f"/segments/recent/growth?{query}")
        assert (status, problem["path"]) == (422, path)

    asking(clicked(), questions)


def test_a_segment_that_the_account_does_not_see_has_no_past_for_it() -> None:
    async def questions(ask: Ask) -> None:
        for path in (f"/segments/recent/contacts?at={AT_MS}", "/segments/recent/growth"):
            assert (await ask(path, "ben"))[0] == 403
        for path in (f"/segments/none/contacts?at={AT_MS}", "/segments/none/growth", "/contacts/no/segments"):
            assert (await ask(path))[0] == 404

    asking(clicked(), questions)


def test_a_segment_made_again_under_its_id_does_not_show_who_was_in_the_former_one() -> None:
    installation = Installation()
    clicked_ms, deleted_ms = AT_MS + HOUR_MS, AT_MS + 2 * HOUR_MS
    installation.segment("s", "ann", {"attribute": "contact_id", "operator": "is_set"})
    for contact_id in CONTACTS:
        installation.contact(contact_id)
        installation.event(contact_id, f"{contact_id} click", "click", clicked_ms)
    installation.delete_segment("s", deleted_ms)
    installation.segment("s", "ann", {"attribute": "contact_id", "operator": "eq", "value": "c1"}, deleted_ms)
    installation.tick(END_MS)

    async def questions(ask: Ask) -> None:
        for path, members in (
            (f"at={clicked_ms}", []),
            (f"at={deleted_ms}", ["c1"]),
            (f"left_since={AT_MS}", []),
        ):
            rows = await all_rows(ask, f"/segments/s/contacts?{path}")
            assert [row["contact_id"] for row in rows] == members, path
        _, growth = await ask(f"/segments/s/growth?by=hour&since={AT_MS}&until={END_MS - 1}")
        moved = [(sum(one["entered"].values()), sum(one["left"].values())) for one in growth["buckets"]]
        assert [one for one in moved if one != (0, 0)] == [(1, 0)]
        assert [one["contacts"] for one in growth["buckets"]] == [0, 0, 1, 1, 1]

    asking(installation, questions)
