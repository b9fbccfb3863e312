"""Commands, the catalogue's rows and the API of real workers on a real broker."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from streamseg.cli.client import Api, ApiError
from streamseg.settings import Settings
from tests.agents.known_tokens import TOKENS_FILE, token_of
from tests.kafka.live import Topics, Worker, eventually, running

Json = dict[str, Any]

CN = {"attribute": "location", "operator": "eq", "value": "中国"}
RICH = {"attribute": "member_points", "operator": "ge", "value": 100}
TOKEN = token_of("ann")
SCANNED = {"event": "wechat_scan"}


def clusters(*conditions: Json) -> list[Json]:
    return [{"match": "all", "conditions": list(conditions)}]


def standard(segment_id: str, *conditions: Json, **more: Any) -> Json:
    body = {"segment_id": segment_id, "name": segment_id, "type": "standard"}
    return {**body, "clusters": clusters(*conditions), **more}


def advanced(segment_id: str, *conditions: Json, **more: Any) -> Json:
    parts = [{"relation": "include", "clusters": clusters(*conditions)}]
    return {"segment_id": segment_id, "name": segment_id, "type": "advanced", "parts": parts, **more}


def api_of(worker: Worker, account: str = "ann", *, token: str | None = None) -> Api:
    found = re.search(r"metrics on port (\d+)", worker.log)
    assert found is not None
    url = f"http://127.0.0.1:{found[1]}"
    return Api(url, account=account, token=token, language="en", timeout_seconds=60)


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str, str]:
    return error.value.status, error.value.code, error.value.path


def contact_ids(api: Api, segment_id: str, *, limit: int = 200) -> list[str]:
    """All members, page by page."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = api.get("segments", segment_id, "contacts", after=after, limit=limit)
        found += [one["contact_id"] for one in page["contacts"]]
        after = page["next_cursor"]
        if after is None:
            return found


def completed(api: Api, segment_id: str, contacts: int) -> None:
    """Wait until a segment is calculated and has so many contacts."""

    def holds() -> bool:
        row = api.get("segments", segment_id)
        return (row["status"], row["contacts"]) == ("completed", contacts)

    eventually(holds, f"{contacts} contacts in {segment_id}", 40)


class Site:
    """A worker with topics of its own, shared by the tests that only use names of their own."""

    def __init__(self, topics: Topics, worker: Worker) -> None:
        self.topics = topics
        self.worker = worker
        self.ann = api_of(worker, "ann")
        self.ben = api_of(worker, "ben")

    def update(self, contact_id: str, **attributes: Any) -> None:
        value = {"contact_id": contact_id, "attributes": attributes}
        self.topics.write("contact-updates", contact_id, value)


@pytest.fixture(scope="module")
def site(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(
        bootstrap_servers=bootstrap,
        topic_prefix=f"test-{uuid.uuid4().hex[:8]}-",
        data_dir=tmp_path_factory.mktemp("site"),
    )
    topics = Topics(settings)
    topics.create()
    with running(Worker(settings)) as worker:
        site = Site(topics, worker)
        for number in range(30):
            site.update(f"c{number:02}", location="中国" if number % 3 else "法国", member_points=10 * number)
        topics.flush()
        yield site
        site.ann.close()
        site.ben.close()


def test_counts_follow_the_memberships(site: Site) -> None:
    created = site.ann.post("segments", body=standard("cn", CN))
    assert (created["status"], created["created_by"], created["version"]) == ("calculating", "ann", 1)
    completed(site.ann, "cn", 20)
    assert contact_ids(site.ann, "cn", limit=7) == [f"c{number:02}" for number in range(30) if number % 3]
    site.update("c01", location="法国")
    site.update("c00", location="中国")
    site.update("new", location="中国")
    site.topics.flush()
    completed(site.ann, "cn", 21)
    row = site.topics.latest("segment-catalog")["cn"]
    members = [key for key in site.topics.latest("segment-memberships") if key.startswith("cn|")]
    assert row["contacts"] == len(members) == 21
    assert {key.removeprefix("cn|") for key in members} == set(contact_ids(site.ann, "cn"))
    site.topics.write("contact-updates", "new", {"contact_id": "new", "deleted": True})
    site.update("c01", location="中国")
    site.update("c00", location="法国")
    site.topics.flush()
    completed(site.ann, "cn", 20)


def test_an_update_changes_the_members_that_differ(site: Site) -> None:
    site.ann.post("segments", body=standard("points", RICH))
    completed(site.ann, "points", 20)
    changed = {**RICH, "value": 150}
    with pytest.raises(ApiError) as error:
        site.ann.put("segments", "points", body=standard("points", changed, version=2))
    assert refusal(error) == (409, "conflict", "version")
    assert error.value.current_version == 1
    saved = site.ann.put("segments", "points", body=standard("points", changed, version=1))
    assert (saved["version"], saved["status"]) == (2, "calculating")
    completed(site.ann, "points", 15)
    changes = [one for one in site.topics.changes() if one["segment_id"] == "points"]
    exited = [one["contact_id"] for one in changes if one["change"] == "exited"]
    assert sorted(exited) == [f"c{number:02}" for number in range(10, 15)]
    assert len(changes) == 25


def test_an_advanced_segment_is_judged_once_it_is_told_to_calculate(site: Site) -> None:
    site.ann.post("segments", body=advanced("adv", RICH))
    assert "adv" not in site.topics.latest("segment-definitions")
    with pytest.raises(ApiError) as error:
        site.ann.get("segments", "adv", "contacts")
    assert refusal(error) == (409, "conflict", "segment_id")
    with pytest.raises(ApiError) as error:
        site.ann.post("segments", body=standard("on-adv", {"segment": "adv"}))
    assert refusal(error)[:2] == (422, "unknown_reference")
    assert site.ann.post("segments", "adv", "calculate")["status"] == "calculating"
    completed(site.ann, "adv", 20)
    # The version that was completed stands while another waits.
    edited = site.ann.put("segments", "adv", body=advanced("adv", CN, RICH, version=1))
    assert (edited["status"], edited["version"]) == ("not_calculated", 2)
    assert site.topics.latest("segment-definitions")["adv"]["version"] == 1
    site.update("rich", member_points=1_000)
    site.topics.flush()
    eventually(lambda: "adv|rich" in site.topics.latest("segment-memberships"), "the old version lives")
    site.ann.post("segments", "adv", "calculate")
    completed(site.ann, "adv", 14)
    assert "adv|rich" not in site.topics.latest("segment-memberships")
    site.topics.write("contact-updates", "rich", {"contact_id": "rich", "deleted": True})
    site.topics.flush()


def test_sharing_lets_others_see_and_copy_and_nothing_else(site: Site) -> None:
    site.ann.post("segments", body=standard("mine", CN))
    with pytest.raises(ApiError) as error:
        site.ben.get("segments", "mine")
    assert refusal(error) == (403, "not_permitted", "segment_id")
    shared = site.ann.post("segments", "mine", "share", body={"accounts": ["ben"]})
    assert shared["shared_with"] == ["ben"]
    seen = site.ben.get("segments", "mine")
    assert (seen["status"], seen["status_label"]) == ("shared", "/")
    with pytest.raises(ApiError) as error:
        site.ben.put("segments", "mine", body=standard("mine", RICH))
    assert refusal(error)[:2] == (403, "not_permitted")
    copy = site.ben.post("segments", "mine", "copy")
    again = site.ben.post("segments", copy["segment_id"], "copy")
    assert (copy["name"], again["name"]) == ("mine_复制", "mine_复制_复制")
    assert copy["created_by"] == "ben"
    completed(site.ben, copy["segment_id"], 20)


def test_what_others_refer_to_is_not_deleted(site: Site) -> None:
    site.ann.post("segments", body=standard("below", RICH))
    site.ann.post("segments", body=standard("above", {"segment": "below"}))
    completed(site.ann, "above", 20)
    with pytest.raises(ApiError) as error:
        site.ann.delete("segments", "below")
    assert refusal(error) == (409, "in_use", "segment_id")
    batch = site.ann.post("batch", "delete", body={"segment_ids": ["below", "above"]})
    assert sorted(batch["segment_ids"]) == ["above", "below"]
    with pytest.raises(ApiError) as error:
        site.ann.get("segments", "below")
    assert refusal(error)[:2] == (404, "not_found")

    def gone() -> bool:
        kept = {**site.topics.latest("segment-memberships"), **site.topics.latest("segment-catalog")}
        return not any(key.split("|")[0] in ("above", "below") for key in kept)

    eventually(gone, "no membership and no row is left")


def test_members_of_a_restored_segment_enter_anew(site: Site) -> None:
    site.ann.post("segments", body=standard("back", RICH))
    completed(site.ann, "back", 20)
    site.ann.put("segments", "back", body=standard("back", {**RICH, "value": 150}, name="fewer"))
    completed(site.ann, "back", 15)
    site.ann.post("segments", "back", "versions", "1", "revert")
    completed(site.ann, "back", 20)
    listed = site.ann.get("segments", "back", "versions")["versions"]
    assert [(one["version"], one["name"]) for one in listed] == [(3, "back"), (2, "fewer"), (1, "back")]
    assert {"version|back|1", "version|back|2"} <= site.topics.latest("segment-catalog").keys()
    site.ann.delete("segments", "back")
    (deleted,) = (one for one in site.ann.get("deleted-segments")["segments"] if one["segment_id"] == "back")
    restored = site.ann.post("deleted-segments", "back", "restore", body={"deletion": deleted["deletion"]})
    assert (restored["version"], restored["status"]) == (4, "calculating")
    completed(site.ann, "back", 20)
    changes = [one for one in site.topics.changes() if one["segment_id"] == "back"]
    always = [one for one in changes if one["contact_id"] == "c29"]
    assert [(one["change"], one["sequence"]) for one in always] == [
        ("entered", 1),
        ("exited", 2),
        ("entered", 1),
    ]
    assert [one["segment_version"] for one in always] == [1, 3, 4]
    kept = [key for key in site.topics.latest("segment-catalog") if "|back" in key]
    assert kept == []


def test_groups_hold_segments_and_let_go_of_them(site: Site) -> None:
    for name in ("filed-1", "filed-2"):
        site.ann.post("segments", body=standard(name, CN))
    assert site.ann.post("groups", body={"group": "g1"})["segments"] == 0
    site.ann.post("batch", "move", body={"segment_ids": ["filed-1", "filed-2"], "group": "g1"})
    assert site.ann.patch("groups", "g1", body={"group": "g2"})["segments"] == 2
    assert [row["segment_id"] for row in site.ann.segments(group="g2")] == ["filed-1", "filed-2"]
    with pytest.raises(ApiError) as error:
        site.ben.delete("groups", "g2")
    assert refusal(error)[:2] == (403, "not_permitted")
    site.ann.delete("groups", "g2")
    assert site.ann.get("segments", "filed-1")["group"] == "default"
    with pytest.raises(ApiError) as error:
        site.ann.post("batch", "move", body={"segment_ids": ["filed-1", "no"], "group": "default"})
    assert refusal(error) == (422, "unknown_reference", "segment_ids[1]")


def test_the_list_is_searched_sorted_and_paged(site: Site) -> None:
    for name in ("list c", "List a", "list b"):
        site.ben.post("segments", body={**standard("", SCANNED), "segment_id": name, "name": name})
    page = site.ben.get("segments", q="LIST", mine=True, limit=2, sort="name", order="desc")
    assert ([row["name"] for row in page["rows"]], page["total"]) == (["list c", "list b"], 3)
    rest = site.ben.get(
        "segments", q="LIST", mine=True, limit=2, sort="name", order="desc", cursor=page["next_cursor"]
    )
    assert ([row["name"] for row in rest["rows"]], rest["next_cursor"]) == (["List a"], None)
    with pytest.raises(ApiError) as error:
        site.ben.get("segments", sort="size")
    assert refusal(error) == (422, "invalid_schema", "sort")


def test_a_static_list_is_filled_through_the_api(site: Site) -> None:
    made = site.ann.post("segments", body={"name": "Trade fair 2026", "type": "static"})
    assert (made["segment_id"], made["status"]) == ("trade-fair-2026", "completed")
    people = [f"fair-{number:03}" for number in range(120)]
    sent = site.ann.post("contacts", "lists", body={"segment_id": made["segment_id"], "add": people})
    assert sent == {"accepted": 120}
    completed(site.ann, made["segment_id"], 120)
    assert contact_ids(site.ann, made["segment_id"], limit=50) == people
    contact = site.ann.get("contacts", "fair-007")
    assert (contact["lists"], contact["segments"][0]["sequence"]) == (["trade-fair-2026"], 1)
    removed = {"segment_id": made["segment_id"], "remove": people[:20]}
    site.ann.post("contacts", "lists", body=removed)
    completed(site.ann, made["segment_id"], 100)
    with pytest.raises(ApiError) as error:
        site.ben.post("contacts", "lists", body=removed)
    assert refusal(error) == (403, "not_permitted", "segment_id")
    assert not [one for one in site.topics.read("dead-letters") if (one.key() or b"").startswith(b"fair-")]
    for contact_id in people:
        site.topics.write("contact-updates", contact_id, {"contact_id": contact_id, "deleted": True})
    site.topics.flush()
    completed(site.ann, made["segment_id"], 0)


def test_a_preview_counts_and_an_explanation_says_why(site: Site) -> None:
    definition = {"type": "standard", "clusters": clusters(RICH, CN)}
    found = site.ann.post("preview", body={"definition": definition, "sample": 3})
    assert found == {"contacts": 14, "sample": ["c10", "c11", "c13"]}
    everybody = {"type": "standard", "clusters": clusters({**SCANNED, "not": True})}
    assert site.ann.post("preview", body={"definition": everybody})["contacts"] == 30
    with pytest.raises(ApiError) as error:
        site.ann.post("preview", body={"definition": {**definition, "clusters": clusters({"segment": "no"})}})
    assert refusal(error) == (422, "unknown_reference", "definition.clusters[0].conditions[0].segment")
    site.ann.post("segments", body=standard("why", RICH))
    completed(site.ann, "why", 20)
    explanation = site.ann.get("segments", "why", "contacts", "c12", "explain")
    condition = explanation["parts"][0]["clusters"][0]["conditions"][0]
    assert (explanation["member"], condition["holds"], condition["value"]) == (True, True, 120)
    with pytest.raises(ApiError) as error:
        site.ann.get("segments", "why", "contacts", "nobody", "explain")
    assert refusal(error) == (404, "not_found", "contact_id")


def test_commands_that_come_by_kafka_are_obeyed_or_refused_with_the_why(site: Site) -> None:
    site.topics.write(
        "segment-commands", "k1", {"command": "create", "account": "ann", "definition": standard("k1", CN)}
    )
    site.topics.write("segment-commands", "k1", b"{nonsense")
    site.topics.write("segment-commands", "k1", {"command": "delete", "account": "ben", "segment_id": "k1"})
    site.topics.flush()
    eventually(lambda: "k1" in site.topics.latest("segment-definitions"), "the command was obeyed")
    completed(site.ann, "k1", 20)

    def letters() -> list[tuple[bytes, str]]:
        found = [one for one in site.topics.read("dead-letters") if one.key() == b"k1"]
        return [(one.value(), dict(one.headers())["error.code"].decode()) for one in found]

    eventually(lambda: len(letters()) == 2, "two dead letters")
    assert [code for _, code in letters()] == ["invalid_json", "not_permitted"]
    assert letters()[0][0] == b"{nonsense"


def test_a_definition_that_an_operator_writes_gets_a_row(site: Site) -> None:
    site.topics.define(standard("operators", RICH, created_by="ann"))
    eventually(lambda: "operators" in site.topics.latest("segment-catalog"), "a row")
    completed(site.ann, "operators", 20)
    site.topics.write("segment-definitions", "operators", None)
    site.topics.flush()
    eventually(lambda: "operators" not in site.topics.latest("segment-catalog"), "no row")


def test_workers_answer_for_each_other_and_a_new_leader_goes_on(kafka_settings: Settings) -> None:
    topics = Topics(kafka_settings)
    topics.create()
    tokens = {"STREAMSEG_API_TOKENS_FILE": str(TOKENS_FILE)}
    first, second = Worker(kafka_settings, "first", **tokens), Worker(kafka_settings, "second", **tokens)
    people = [f"p{number:04}" for number in range(1_000)]
    for contact_id in people:
        value = {"contact_id": contact_id, "attributes": {"location": "中国"}}
        topics.write("contact-updates", contact_id, value)
    topics.flush()
    try:
        first.start()
        second.start()
        eventually(lambda: first.metric("streamseg_partitions") == 2, "two partitions each")
        with pytest.raises(ApiError) as error:
            api_of(second).get("segments")
        assert refusal(error)[:2] == (401, "unauthorized")
        with api_of(second, token=TOKEN) as api:
            api.post("segments", body=standard("cn", CN))
            completed(api, "cn", 1_000)
            assert contact_ids(api, "cn", limit=170) == people
            for contact_id in people[:20]:
                assert api.get("contacts", contact_id)["contact_id"] == contact_id
                assert api.get("segments", "cn", "contacts", contact_id, "explain")["member"]
            body = {"definition": {"type": "standard", "clusters": clusters(CN)}, "sample": 2}
            assert api.post("preview", body=body) == {"contacts": 1_000, "sample": people[:2]}
            # Commands given while the leader is killed are carried out once, by whoever leads then.
            for number in range(20):
                definition = standard(f"s{number:02}", CN)
                command = {"command": "create", "account": "ann", "definition": definition}
                topics.write("segment-commands", f"s{number:02}", command)
            for number in range(60):
                name = "create" if number == 0 else "update"
                definition = standard("old", CN, name=f"name {number + 1}")
                topics.write(
                    "segment-commands", "old", {**command, "command": name, "definition": definition}
                )
            topics.write("segment-commands", "s-gone", {**command, "definition": standard("s-gone", CN)})
            deletion = {"command": "delete", "account": "ann", "segment_id": "s-gone"}
            topics.write("segment-commands", "s-gone", deletion)
            topics.flush()
        leader, survivor = (first, second) if "leads the catalogue" in first.log else (second, first)
        leader.kill()
        eventually(lambda: survivor.metric("streamseg_partitions") == 4, "all partitions on one")
        with api_of(survivor, token=TOKEN) as api:
            deleted: list[Json] = []

            def all_ruled_on() -> bool:
                deleted[:] = api.get("deleted-segments")["segments"]
                return bool(deleted) and api.get("segments", mine=True)["total"] == 22

            eventually(all_ruled_on, "all commands were carried out")
            # Each version is kept once, whichever leader carried its command out.
            listed = api.get("segments", "old", "versions")["versions"]
            assert [(one["version"], one["name"]) for one in listed] == [
                (number, f"name {number}") for number in range(60, 10, -1)
            ]
            assert [one["segment_id"] for one in deleted] == ["s-gone"]
            assert api.post("deleted-segments", "s-gone", "restore")["version"] == 2
            completed(api, "s-gone", 1_000)
            for number in range(20):
                completed(api, f"s{number:02}", 1_000)
                assert api.get("segments", f"s{number:02}")["version"] == 1
            api.delete("segments", "cn")
        assert survivor.stop() == 0
    finally:
        first.end()
        second.end()
    assert topics.read("dead-letters") == []
