"""All that is known of a contact is exported, whichever worker has it; an erasure is written and followed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from streamseg.times import format_ms
from tests.agents.api.test_http_api import Caller, serving
from tests.agents.api.two_workers import AT_MS, Ask, Installation, asking
from tests.agents.known_tokens import token_of

OTTO = {"Authorization": f"Bearer {token_of('otto')}"}


@pytest.mark.parametrize("contact_id", ["c1", "c2", "联系人/1"])
def test_everything_is_exported(contact_id: str) -> None:
    installation = Installation()
    installation.segment("buyers", "ann", {"event": "buy"})
    installation.contact(contact_id, attributes={"city": "上海", "email": "a@b.cn"}, tags={"add": ["vip"]})
    installation.contact(contact_id, AT_MS + 1, attributes={"email": None})
    installation.event(contact_id, "e1", "buy", AT_MS + 2, amount=5)
    installation.event(contact_id, "e2", "email_unsubscribe", AT_MS + 3)
    installation.contact("other", attributes={"city": "北京"})

    async def questions(ask: Ask) -> None:
        status, found = await ask(f"/contacts/{quote(contact_id, safe='')}/export", "otto")
        assert status == 200
        at, later = format_ms(AT_MS), format_ms(AT_MS + 1)
        assert found["attributes"] == [
            {"attribute": "city", "value": "上海", "updated_at": at},
            {"attribute": "email", "value": None, "updated_at": later},
            {"attribute": "tags", "value": ["vip"], "updated_at": at},
        ]
        assert found["memberships"] == [
            {
                "segment_id": "buyers",
                "member": True,
                "sequence": 1,
                "changed_at": format_ms(AT_MS + 2),
                "next_change_at": None,
            }
        ]
        (change,) = found["changes"]
        assert (change["segment_id"], change["change"]) == ("buyers", "entered")
        assert change["effective_at"] == format_ms(AT_MS + 2)
        assert change["reason"] == {"kind": "behavior_event", "ref": "e1"}
        assert found["suppressions"] == ["email"]
        unsubscribed = [{"event_id": "e2", "occurred_at": format_ms(AT_MS + 3)}]
        assert found["opt_outs"]["email"] == {"unsubscribed": unsubscribed, "resubscribed_at": None}
        own = {one["event_id"]: one for one in found["events"] if not one["derived"]}
        assert (list(own), own["e1"]["properties"]) == (["e1", "e2"], {"amount": 5})
        derived = [one["properties"] for one in found["events"] if one["derived"]]
        assert {"attribute": "email", "old": "a@b.cn", "new": None} in derived
        assert "北京" not in str(found)

    asking(installation, questions)


def test_what_has_to_stay_of_an_erased_contact_is_exported_too() -> None:
    installation = Installation()
    installation.contact("c1", attributes={"email": "a@b.cn"})
    installation.event("c1", "e1", "email_unsubscribe", AT_MS + 1)
    installation.contact("c1", AT_MS + 2, deleted=True, keep_suppressions=True)

    async def questions(ask: Ask) -> None:
        _, found = await ask("/contacts/c1/export", "otto")
        assert (found["known_since"], found["erased_at"]) == (None, format_ms(AT_MS + 2))
        assert (found["attributes"], found["events"], found["memberships"]) == ([], [], [])
        assert (found["suppressions"], found["changes"]) == (["email"], [])
        assert (await ask("/contacts/nobody/export", "otto"))[0] == 404

    asking(installation, questions)


def test_they_are_for_administrators() -> None:
    installation = Installation()
    installation.contact("c1")

    async def questions(ask: Ask) -> None:
        for path in ("/contacts/c1/export", "/contacts/c1/erasure"):
            status, problem = await ask(path, "ann")
            assert (status, problem["code"]) == (403, "not_permitted")

    asking(installation, questions)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with serving(tmp_path_factory.mktemp("data")) as caller:
        yield caller


def erased(worker: Caller, contact_id: str, more: str = "") -> dict[str, Any]:
    """Erase a contact, and return the answer about it once it is complete."""
    status, _, written = worker.ask("DELETE", f"/contacts/{contact_id}{more}", **OTTO)
    assert (status, written["contact_id"]) == (202, contact_id)
    deadline = time.monotonic() + 30
    while True:
        path = f"/contacts/{contact_id}/erasure?offset={written['offset']}"
        status, _, found = worker.ask("GET", path, **OTTO)
        if status == 200 and found["sent"]:
            return dict(found)
        assert (status, found.get("code")) in ((404, "not_found"), (200, None))
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_erasure_is_written_applied_and_followed(worker: Caller) -> None:
    made = orjson.dumps({"segment_id": "fair", "name": "fair", "type": "static"})
    assert worker.ask("POST", "/segments", made)[0] == 201
    assert worker.ask("POST", "/contacts/lists", b'{"segment_id": "fair", "add": ["c1"]}')[0] == 202
    deadline = time.monotonic() + 30
    while worker.ask("GET", "/contacts/c1")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert worker.ask("GET", "/contacts/c1/erasure", **OTTO)[0] == 404
    found = erased(worker, "c1")
    assert (found["known_again"], found["kept_suppressions"]) == (False, [])
    places = {one["place"]: one["gone_by"] for one in found["places"]}
    assert [name for name, by in places.items() if by is None] == ["state", "memberships", "suppressions"]
    assert places["disk"] < places["inputs"] < places["compacted_topics"] < places["dead_letters"]
    assert worker.ask("GET", "/contacts/c1")[0] == 404
    assert worker.ask("GET", "/segments/fair/contacts")[2]["contacts"] == []


def test_a_contact_that_is_not_known_is_erased_too(worker: Caller) -> None:
    assert erased(worker, "nobody", "?keep_suppressions=true")["kept_suppressions"] == []
    assert worker.ask("GET", "/contacts/nobody/export", **OTTO)[2]["erased_at"] is not None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("DELETE", "/contacts/c9?keep_suppressions=yes", (422, "invalid_schema", "keep_suppressions")),
        ("GET", "/contacts/c9/erasure?offset=-1", (422, "invalid_schema", "offset")),
        ("GET", "/contacts/c9/erasure?offset=9007199254740992", (422, "invalid_schema", "offset")),
        ("GET", "/contacts/c9/erasure?offset=9007199254740991", (404, "not_found", "offset")),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    worker: Caller, method: str, path: str, expected: tuple[int, str, str]
) -> None:
    status, _, problem = worker.ask(method, path, **OTTO)
    assert (status, problem["code"], problem["path"]) == expected


def test_only_administrators_erase(worker: Caller) -> None:
    status, _, problem = worker.ask("DELETE", "/contacts/c1")
    assert (status, problem["code"]) == (403, "not_permitted")
    status, _, problem = worker.ask("DELETE", "/contacts/c1", If_Match='"1"', **OTTO)
    assert (status, problem["code"]) == (412, "precondition_failed")
