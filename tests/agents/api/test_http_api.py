"""The HTTP API of a whole worker on the broker inside this process."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from agents.api.openapi import description
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from streamseg.settings import Settings
from tests.agents.known_tokens import TOKENS_FILE, token_of

ANN, BEN, OTTO = token_of("ann"), token_of("ben"), token_of("otto")
EVERYBODY = [{"match": "all", "conditions": [{"attribute": "contact_id", "operator": "is_set"}]}]


class Caller:
    """Sends requests as they are, and gives status, headers and JSON."""

    def __init__(self, base: str, secret: str = "") -> None:
        self.base = base
        self.secret = secret

    def ask(
        self, method: str, path: str, body: bytes | None = None, /, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {ANN}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.base + path, body, given, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, dict(answer.headers), orjson.loads(answer.read() or b"null")
        except urllib.error.HTTPError as answer:
            return answer.code, dict(answer.headers), orjson.loads(answer.read() or b"null")


@contextmanager
def serving(folder: Path) -> Iterator[Caller]:
    """A worker with the known tokens, on a broker of its own; `folder` is for its data."""
    with EmbeddedBroker() as broker:
        settings = Settings(
            bootstrap_servers=broker.bootstrap,
            data_dir=folder,
            http_host="127.0.0.1",
            http_port=0,
            session_timeout_ms=6_000,
            api_tokens_file=TOKENS_FILE,
        )
        broker.create_topics(settings)
        with EmbeddedWorker(settings) as worker:
            assert worker.app is not None
            peer = worker.app.api.peer
            yield Caller(peer.url + "/api/v1", peer.secret)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with serving(tmp_path_factory.mktemp("data")) as caller:
        yield caller


def definition(**more: Any) -> bytes:
    return orjson.dumps({"name": "everybody", "type": "standard", "clusters": EVERYBODY, **more})


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "expected"),
    [
        ("GET", "/segments", None, {"Authorization": ""}, (401, "unauthorized", None)),
        ("GET", "/segments", None, {"Authorization": "Bearer x"}, (401, "unauthorized", None)),
        ("GET", "/segments", None, {"Authorization": f"Basic {ANN}"}, (401, "unauthorized", None)),
        ("GET", "/segments", None, {"Origin": "http://evil.example"}, (403, "not_permitted", "Origin")),
        (
            "DELETE",
            "/segments/s",
            None,
            {"Sec_Fetch_Site": "cross-site"},
            (403, "not_permitted", "Sec-Fetch-Site"),
        ),
        ("GET", "/nothing", None, {}, (404, "not_found", None)),
        ("GET", "/segments/nothing", None, {}, (404, "not_found", "segment_id")),
        ("PATCH", "/groups/nothing", b'{"group": "g"}', {}, (404, "not_found", "group")),
        ("GET", "/contacts/nobody", None, {}, (404, "not_found", "contact_id")),
        ("PUT", "/groups", None, {}, (405, "method_not_allowed", None)),
        ("POST", "/segments", b"{", {}, (400, "invalid_json", None)),
        ("POST", "/segments", b"notgzip", {"Content_Encoding": "gzip"}, (400, "invalid_json", None)),
        ("POST", "/segments", b"notdeflate", {"Content_Encoding": "deflate"}, (400, "invalid_json", None)),
        ("POST", "/segments", b"[]", {}, (422, "invalid_schema", None)),
        ("POST", "/segments", b"{}", {"Content_Type": "text/plain"}, (415, "media_type", None)),
        ("POST", "/segments", b'{"name": "n", "type": "standard"}', {}, (422, "invalid_schema", "clusters")),
        ("POST", "/segments", b" " * (1 << 20) + b"{}", {}, (413, "too_large", None)),
        ("GET", "/segments?type=none", None, {}, (422, "invalid_schema", "type")),
        ("GET", "/segments?status=none", None, {}, (422, "invalid_schema", "status")),
        ("GET", "/segments?limit=0", None, {}, (422, "invalid_schema", "limit")),
        ("GET", "/segments?group=none", None, {}, (422, "unknown_reference", "group")),
        ("GET", "/segments?cursor=none", None, {}, (422, "invalid_schema", "cursor")),
        (
            "DELETE",
            "/segments/global-unsubscribed",
            None,
            {},
            (403, "not_permitted", "segment_id"),
        ),
        (
            "POST",
            "/batch/move",
            b'{"segment_ids": ["a"], "group": "default", "more": 1}',
            {},
            (422, "invalid_schema", "more"),
        ),
        (
            "POST",
            "/contacts/lists",
            b'{"segment_id": "global-unsubscribed", "add": ["c"]}',
            {},
            (422, "unknown_reference", "segment_id"),
        ),
        ("POST", "/preview", b'{"definition": {}}', {}, (422, "invalid_schema", "definition.type")),
        ("POST", "/preview", b'{"definition": {}, "sample": 101}', {}, (422, "invalid_schema", "sample")),
        (
            "POST",
            "/preview",
            b'{"definition": {}, "compare": true, "contact_id": "c"}',
            {},
            (422, "invalid_schema", "compare"),
        ),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    worker: Caller,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    expected: tuple[int, str, str | None],
) -> None:
    status, answered, problem = worker.ask(method, path, body, **headers)
    assert answered["Content-Type"].startswith("application/problem+json")
    assert (status, problem["code"], problem.get("path")) == expected
    assert problem["status"] == status
    assert problem["detail"]


def test_a_problem_is_in_the_callers_language(worker: Caller) -> None:
    problems = [
        worker.ask("GET", "/segments/no", Accept_Language=language)[2]
        for language in ("zh", "en-GB,en;q=0.9", "de")
    ]
    assert [problem["title"] for problem in problems] == ["不存在", "Not found", "不存在"]
    english, chinese = "there is no such segment", "没有这个分群"
    assert [problem["detail"] for problem in problems] == [chinese, english, chinese]


def test_a_segment_lives_and_dies_over_http(worker: Caller) -> None:
    status, _, made = worker.ask("POST", "/segments", definition(name="全部 | Everybody"))
    assert (status, made["segment_id"], made["created_by"]) == (201, "全部-everybody", "ann")
    place = "/segments/%E5%85%A8%E9%83%A8-everybody"
    status, _, problem = worker.ask("PUT", place, definition(version=9))
    assert (status, problem["code"], problem["current_version"]) == (409, "conflict", 1)
    assert worker.ask("PUT", place, definition(version=1))[0] == 200
    assert worker.ask("GET", place)[2]["version"] == 2
    assert worker.ask("GET", place, Authorization=f"Bearer {BEN}")[0] == 403
    assert worker.ask("DELETE", place)[::2] == (204, None)
    assert worker.ask("GET", place)[0] == 404


def test_an_earlier_version_becomes_the_latest_again(worker: Caller) -> None:
    def saved(method: str, path: str, **more: Any) -> None:
        assert worker.ask(method, path, definition(**more))[0] in (200, 201)

    saved("POST", "/segments", segment_id="ver", shared_with=["ben"])
    conditions = [{"attribute": "location", "operator": "eq", "value": "中国"}]
    saved("PUT", "/segments/ver", name="cn", clusters=[{"match": "all", "conditions": conditions}])
    ben = {"Authorization": f"Bearer {BEN}"}
    for headers in ({}, ben):
        status, _, body = worker.ask("GET", "/segments/ver/versions", **headers)
        assert status == 200
        listed = [(one["version"], one["name"], one["saved_by"]) for one in body["versions"]]
        assert listed == [(2, "cn", "ann"), (1, "everybody", "ann")]
    _, _, one = worker.ask("GET", "/segments/ver/versions/1?words=en", **ben)
    assert one["definition"] == {
        "segment_id": "ver",
        "name": "everybody",
        "type": "standard",
        "clusters": EVERYBODY,
    }
    assert one["words"] == "contact id is set"
    _, _, two = worker.ask("GET", "/segments/ver/versions/2?words=en&since=1")
    assert [(line["change"], line["text"].strip()) for line in two["differences"]] == [
        ("same", "all of (and)"),
        ("removed", "contact id is set"),
        ("added", "location is 中国"),
    ]
    status, _, body = worker.ask("POST", "/segments/ver/versions/1/revert", If_Match='"1"')
    assert (status, body["current_version"]) == (412, 2)
    status, _, body = worker.ask("POST", "/segments/ver/versions/1/revert", If_Match='"2"')
    assert (status, body["version"], body["name"]) == (200, 3, "everybody")
    assert body["shared_with"] == ["ben"]
    status, _, body = worker.ask("POST", "/segments/ver/versions/2/revert", **ben)
    assert (status, body["code"]) == (403, "not_permitted")
    for method, path, expected in (
        ("GET", "/segments/ver/versions/9", (404, "not_found", "version")),
        ("GET", "/segments/ver/versions/x", (404, "not_found", "version")),
        ("GET", "/segments/ver/versions/00000000010", (404, "not_found", "version")),
        ("GET", "/segments/ver/versions/1?words=en&since=8", (404, "not_found", "since")),
        ("GET", "/segments/ver/versions/2?since=1", (422, "invalid_schema", "since")),
        ("POST", "/segments/ver/versions/3/revert", (422, "unknown_reference", "version")),
        ("GET", "/segments/nothing/versions", (404, "not_found", "segment_id")),
    ):
        status, _, body = worker.ask(method, path)
        assert (status, body["code"], body["path"]) == expected, path


def test_a_deleted_segment_is_restored_by_its_owner(worker: Caller) -> None:
    for name in ("gone-1", "gone-2", "gone-3"):
        assert worker.ask("POST", "/segments", definition(segment_id=name, shared_with=["ben"]))[0] == 201
        assert worker.ask("DELETE", f"/segments/{name}")[0] == 204

    def names(**headers: str) -> list[str]:
        found: list[str] = []
        cursor = ""
        while cursor is not None:
            path = "/deleted-segments?limit=2" + (f"&cursor={quote(cursor)}" if cursor else "")
            _, _, page = worker.ask("GET", path, **headers)
            found += [one["segment_id"] for one in page["segments"] if one["segment_id"].startswith("gone-")]
            cursor = page["next_cursor"]
        return found

    ben = {"Authorization": f"Bearer {BEN}"}
    assert names() == ["gone-3", "gone-2", "gone-1"]
    assert names(**ben) == []
    path = "/deleted-segments/gone-2/restore"
    status, _, body = worker.ask("POST", path, **ben)
    assert (status, body["code"], body["path"]) == (422, "unknown_reference", "segment_id")
    status, _, body = worker.ask("POST", path)
    assert (status, body["version"], body["shared_with"]) == (201, 2, ["ben"])
    again = orjson.dumps({"new_segment_id": "gone-2"})
    status, _, body = worker.ask("POST", "/deleted-segments/gone-1/restore", again)
    assert (status, body["code"], body["path"]) == (409, "conflict", "new_segment_id")
    again = orjson.dumps({"new_segment_id": "gone-1-back"})
    status, _, body = worker.ask("POST", "/deleted-segments/gone-1/restore", again)
    assert (status, body["segment_id"]) == (201, "gone-1-back")
    assert names() == ["gone-3"]
    status, _, body = worker.ask("GET", "/deleted-segments?cursor=none")
    assert (status, body["code"], body["path"]) == (422, "invalid_schema", "cursor")


def test_words_say_what_a_definition_asks_for_in_the_language_that_is_asked_for(worker: Caller) -> None:
    clusters = [{"match": "all", "conditions": [{"operator": "is_set", "attribute": "name"}]}]
    worker.ask("POST", "/segments", definition(segment_id="said", clusters=clusters))
    try:
        for language, sentence in (("zh", "联系人名称 有值"), ("en", "name is set")):
            shown = worker.ask("GET", f"/segments/said?words={language}")[2]
            assert shown["words"] == sentence
            assert list(shown["definition"]["clusters"][0]["conditions"][0]) == ["attribute", "operator"]
            body = orjson.dumps({"definition": {"type": "standard", "clusters": clusters}})
            assert worker.ask("POST", f"/preview?words={language}", body)[2]["words"] == sentence
        assert "words" not in worker.ask("GET", "/segments/said")[2]
        status, _, problem = worker.ask("GET", "/segments/said?words=fr")
        assert (status, problem["code"], problem["path"]) == (422, "invalid_schema", "words")
    finally:
        worker.ask("DELETE", "/segments/said")


def test_a_read_has_a_tag_and_is_not_sent_again(worker: Caller) -> None:
    assert worker.ask("POST", "/segments", definition(segment_id="tagged"))[0] == 201
    status, answered, body = worker.ask("GET", "/segments/tagged")
    assert (status, body["version"]) == (200, 1)
    assert answered["ETag"].startswith('"1.')
    assert answered["Cache-Control"] == "private, no-cache"
    deadline = time.monotonic() + 30
    while worker.ask("GET", "/segments/tagged")[2]["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for path in ("/segments/tagged", "/segments", "/groups", "/segments/tagged/contacts", "/openapi.json"):
        tag = worker.ask("GET", path)[1]["ETag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            status, answered, body = worker.ask("GET", path, If_None_Match=known)
            assert (status, body, answered["ETag"]) == (304, None, tag)
        assert worker.ask("GET", path, If_None_Match='"other"')[0] == 200
        assert worker.ask("GET", path, If_None_Match="other")[2]["path"] == "If-None-Match"
    german = worker.ask("GET", "/segments/tagged", Accept_Language="en")[1]["ETag"]
    assert german != worker.ask("GET", "/segments/tagged")[1]["ETag"]
    assert worker.ask("DELETE", "/segments/tagged", If_Match=german)[0] == 204


def test_a_change_is_made_to_the_version_that_was_seen_or_not_at_all(worker: Caller) -> None:
    assert worker.ask("POST", "/segments", definition(segment_id="seen"))[0] == 201
    changes: list[tuple[str, str, bytes | None]] = [
        ("PUT", "/segments/seen", definition(name="changed")),
        ("POST", "/segments/seen/share", b'{"accounts": ["ben"]}'),
        ("POST", "/segments/seen/calculate", None),
        ("POST", "/segments/seen/copy", b'{"new_segment_id": "seen-2"}'),
        ("DELETE", "/segments/seen", None),
    ]
    before = worker.ask("GET", "/segments/seen")[2]
    for method, path, body in changes:
        for header, tags in (
            ("If_Match", '"9"'),
            ("If_Match", 'W/"1"'),
            ("If_Match", '"9", W/"1", "x"'),
            ("If_None_Match", "*"),
            ("If_None_Match", 'W/"1"'),
        ):
            status, _, problem = worker.ask(method, path, body, **{header: tags})
            assert (status, problem["code"]) == (412, "precondition_failed")
            assert (problem["path"], problem["current_version"]) == (header.replace("_", "-"), 1)
        for tags in ("x", "", '"1', '"1";"2"'):
            status, _, problem = worker.ask(method, path, body, If_Match=tags)
            assert (status, problem["path"]) == (422, "If-Match")
    after = worker.ask("GET", "/segments/seen")[2]
    assert after["definition"] == before["definition"]
    assert worker.ask("GET", "/segments/seen-2")[0] == 404
    for (method, path, body), tags in zip(
        changes, ('"1"', "*", '"9", "2.0f"', '"2"', 'W/"2", "2"'), strict=True
    ):
        assert worker.ask(method, path, body, If_Match=tags)[0] < 300, path
    assert worker.ask("DELETE", "/segments/seen", If_Match="*")[0] == 404
    assert worker.ask("DELETE", "/segments/seen-2", If_Match="*")[0] == 204


def test_a_check_says_what_saving_would_and_changes_nothing(worker: Caller) -> None:
    def check(**more: Any) -> tuple[int, str | None]:
        body = orjson.dumps({"definition": orjson.loads(definition(**more))})
        status, _, problem = worker.ask("POST", "/check", body)
        return status, problem and problem["path"]

    assert check(segment_id="checked") == (204, None)
    assert worker.ask("GET", "/segments/checked")[0] == 404
    assert check(segment_id="checked", group="nowhere") == (422, "definition.group")
    assert check(segment_id="checked", clusters=[]) == (422, "definition.clusters")
    assert check(segment_id="email-unsubscribed")[0] == 403
    unknown = [{"match": "all", "conditions": [{"segment": "nothing"}]}]
    path = "definition.clusters[0].conditions[0].segment"
    assert check(segment_id="checked", clusters=unknown) == (422, path)
    assert worker.ask("POST", "/segments", definition(segment_id="checked"))[0] == 201
    assert check(segment_id="checked", version=1) == (204, None)
    assert check(segment_id="checked", version=2) == (409, "definition.version")
    assert check(segment_id="checked", type="static", clusters=None) == (422, "definition.type")
    assert worker.ask("GET", "/segments/checked")[2]["version"] == 1
    assert worker.ask("DELETE", "/segments/checked")[0] == 204


def test_what_has_no_versions_is_not_changed_on_condition_of_one(worker: Caller) -> None:
    for method, path, body in (
        ("POST", "/segments", definition()),
        ("POST", "/batch/delete", b'{"segment_ids": ["x"]}'),
        ("POST", "/groups", b'{"group": "x"}'),
        ("PATCH", "/groups/x", b'{"group": "y"}'),
        ("DELETE", "/groups/x", None),
        ("POST", "/contacts/lists", b'{"segment_id": "x"}'),
    ):
        status, _, problem = worker.ask(method, path, body, If_Match='"1"')
        assert (status, problem["code"], problem["path"]) == (412, "precondition_failed", "If-Match")


def test_refusals_of_the_api_are_counted_apart_from_dead_letters(worker: Caller) -> None:
    def counted() -> dict[str, float]:
        with urllib.request.urlopen(worker.base.replace("/api/v1", "/metrics"), timeout=30) as answer:  # noqa: S310
            lines = answer.read().decode().splitlines()
        return {
            name: float(value)
            for name, _, value in (line.partition(" ") for line in lines)
            if name.startswith(("streamseg_api_refusals_total", "streamseg_dead_letters_total"))
        }

    refused = 'streamseg_api_refusals_total{code="%s"}'
    before = counted()
    assert worker.ask("DELETE", "/segments/mobile-unsubscribed")[0] == 403
    assert worker.ask("POST", "/segments", definition(group="nowhere"))[0] == 422
    assert worker.ask("GET", "/segments/nothing")[0] == 404
    after = counted()
    for code in ("not_permitted", "unknown_reference", "not_found"):
        assert after[refused % code] == before.get(refused % code, 0) + 1
    assert {name: value for name, value in after.items() if "dead_letters" in name} == {
        name: value for name, value in before.items() if "dead_letters" in name
    }


def test_a_segment_may_have_a_name_that_is_part_of_an_address(worker: Caller) -> None:
    accounts = orjson.dumps({"accounts": ["ben"]})
    for segment_id in ("batch", "contacts"):
        assert worker.ask("POST", "/segments", definition(segment_id=segment_id))[0] == 201
    assert worker.ask("POST", "/segments/batch/share", accounts)[2]["shared_with"] == ["ben"]
    assert worker.ask("POST", "/batch/share", accounts)[2]["path"] == "segment_ids"
    assert worker.ask("GET", "/segments/contacts/contacts")[0] == 200
    both = orjson.dumps({"segment_ids": ["contacts", "batch"]})
    assert worker.ask("POST", "/batch/delete", both)[::2] == (200, orjson.loads(both))


def test_the_longest_id_can_be_asked_for_and_a_longer_address_is_a_problem(worker: Caller) -> None:
    segment_id = "\U00020000" * 1_000
    place = "/segments/" + quote(segment_id)
    assert worker.ask("POST", "/segments", definition(segment_id=segment_id))[0] == 201
    assert worker.ask("GET", place)[2]["segment_id"] == segment_id
    assert worker.ask("GET", f"{place}/contacts/{quote('人' * 1_000)}/explain")[0] == 404
    assert worker.ask("DELETE", place)[0] == 204
    status, answered, problem = worker.ask("GET", "/contacts/" + "c" * (64 << 10))
    assert (status, problem["code"]) == (414, "uri_too_long")
    assert answered["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("segment_id", [".", "..", "a\nb", "a\x1b[2J", "\x85"])
def test_an_id_that_no_address_can_hold_is_refused_when_it_is_made(worker: Caller, segment_id: str) -> None:
    made = worker.ask("POST", "/segments", definition(segment_id=segment_id))
    assert (made[0], made[2]["path"]) == (422, "segment_id")
    named = worker.ask("POST", "/groups", orjson.dumps({"group": segment_id}))
    assert (named[0], named[2]["path"]) == (422, "group")
    copied = worker.ask(
        "POST", "/segments/global-unsubscribed/copy", orjson.dumps({"new_segment_id": segment_id})
    )
    assert (copied[0], copied[2]["path"]) == (422, "new_segment_id")
    # An id that is made out of a name is one that fits.
    made = worker.ask("POST", "/segments", definition(name=segment_id))
    assert made[0] == 201
    assert worker.ask("DELETE", "/segments/" + quote(made[2]["segment_id"], safe=""))[0] == 204


def test_an_account_learns_nothing_of_segments_that_it_does_not_see(worker: Caller) -> None:
    ben = {"Authorization": f"Bearer {BEN}"}
    assert worker.ask("POST", "/segments", definition(segment_id="anns"))[0] == 201
    asked = [{"match": "all", "conditions": [{"segment": "anns"}]}]
    path = "clusters[0].conditions[0].segment"
    body = definition(segment_id="bens", clusters=asked)
    status, _, problem = worker.ask("POST", "/segments", body, **ben)
    assert (status, problem["code"], problem["path"]) == (403, "not_permitted", path)
    tried = orjson.dumps({"definition": orjson.loads(body), "sample": 10})
    status, _, problem = worker.ask("POST", "/preview", tried, **ben)
    assert (status, problem["code"], problem["path"]) == (403, "not_permitted", f"definition.{path}")
    assert worker.ask("POST", "/preview", tried)[0] == 200
    accounts = b'{"accounts": ["ben", "eve"]}'
    status, _, shared = worker.ask("POST", "/segments/anns/share", accounts)
    assert (status, shared["definition"]["shared_with"]) == (200, ["ben", "eve"])
    assert worker.ask("POST", "/preview", tried, **ben)[0] == 200
    assert worker.ask("POST", "/segments", body, **ben)[0] == 201
    seen = worker.ask("GET", "/segments/anns", **ben)[2]
    assert (seen["shared_with"], seen["definition"]["shared_with"]) == ([], [])
    assert worker.ask("DELETE", "/segments/bens", **ben)[0] == 204
    assert worker.ask("DELETE", "/segments/anns")[0] == 204


def test_a_preview_tells_nothing_of_a_list_that_the_account_does_not_see(worker: Caller) -> None:
    ben = {"Authorization": f"Bearer {BEN}"}
    for segment_id in ("vip", "preview"):
        made = orjson.dumps({"segment_id": segment_id, "name": segment_id, "type": "static"})
        assert worker.ask("POST", "/segments", made)[0] == 201
        put_in = orjson.dumps({"segment_id": segment_id, "add": ["listed"]})
        assert worker.ask("POST", "/contacts/lists", put_in)[0] == 202

    def tried(**named: str) -> bytes:
        return orjson.dumps({"definition": {"type": "static", **named}, "sample": 10})

    deadline = time.monotonic() + 30
    for segment_id in ("vip", "preview"):
        while worker.ask("POST", "/preview", tried(segment_id=segment_id))[2]["sample"] != ["listed"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        status, _, problem = worker.ask("POST", "/preview", tried(segment_id=segment_id), **ben)
        assert (status, problem["code"], problem["path"]) == (403, "not_permitted", "definition.segment_id")
    assert worker.ask("POST", "/preview", tried(), **ben)[2] == {"contacts": 0, "sample": []}
    for segment_id in ("vip", "preview"):
        assert worker.ask("DELETE", f"/segments/{segment_id}")[0] == 204


def test_what_workers_ask_each_other_takes_the_secret_of_the_one_that_is_asked(worker: Caller) -> None:
    internal = Caller(worker.base.replace("/api/v1", "/internal/v1"))
    members = {"partitions": [0], "segment_id": "global-unsubscribed", "limit": 10}
    questions: dict[str, dict[str, Any]] = {
        "/members": members,
        "/explain": {"partitions": [0], "segment_id": "global-unsubscribed", "contact_id": "c"},
        "/contact": {"partitions": [0], "contact_id": "c"},
        "/preview": {
            "partitions": [0],
            "definition": {"segment_id": "new", "type": "standard", "clusters": EVERYBODY},
        },
    }
    secret = {"Authorization": f"Bearer {worker.secret}"}
    for path, question in questions.items():
        assert internal.ask("POST", path, orjson.dumps(question))[0] == 401
        assert internal.ask("POST", path, orjson.dumps(question), Authorization="")[0] == 401
        assert internal.ask("POST", path, orjson.dumps(question), **secret)[0] in (200, 404)
        nowhere = {**question, "partitions": []}
        assert internal.ask("POST", path, orjson.dumps(nowhere), **secret)[0] == 422
    for limit in (-1, 2**63):
        assert internal.ask("POST", "/members", orjson.dumps({**members, "limit": limit}), **secret)[0] == 422
    assert worker.ask("GET", "/segments", **secret)[0] == 401


def test_the_description_is_served_to_everybody(worker: Caller) -> None:
    status, _, body = worker.ask("GET", "/openapi.json", Authorization="")
    assert (status, body) == (200, orjson.loads(orjson.dumps(description())))
    assert body["openapi"] == "3.1.0"


def test_answers_are_as_described(worker: Caller) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings

    schema = schemathesis.openapi.from_dict({**description(), "servers": [{"url": worker.base}]})
    checks = schemathesis.checks
    wanted = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    for operation in schema.get_all_operations():
        if operation.ok().path == "/changes":
            # Its answer has no end; tests/agents/api/test_changes.py reads it.
            continue
        strategy = operation.ok().as_strategy()

        @settings(
            max_examples=8,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        )
        @given(case=strategy)
        def conforms(case: Any) -> None:
            case.call_and_validate(
                base_url=worker.base, headers={"Authorization": f"Bearer {ANN}"}, checks=wanted, timeout=30
            )

        conforms()


def test_the_vocabulary_has_what_forms_need(worker: Caller) -> None:
    status, _, body = worker.ask("GET", "/vocabulary")
    assert status == 200
    assert body["timezone"] == "Asia/Shanghai"
    assert {"location", "subscribed"} <= {one["name"] for one in body["attributes"] if one["standard"]}
    assert {"email_click", "form_submit"} <= {one["name"] for one in body["events"] if one["standard"]}
    private = [one for one in body["attributes"] if one["identifies"]]
    assert {"email", "mobile", "name", "contact_id"} <= {one["name"] for one in private}
    assert all(not one["seen"]["values"] for one in private if one["seen"])


def test_a_preview_compares_with_what_is_in_force_and_explains_one_contact(worker: Caller) -> None:
    listed = orjson.dumps({"segment_id": "compared", "name": "compared", "type": "static"})
    assert worker.ask("POST", "/segments", listed)[0] == 201
    add = orjson.dumps({"segment_id": "compared", "add": ["compared-1", "compared-2"]})
    assert worker.ask("POST", "/contacts/lists", add)[0] == 202
    here = {"attribute": "contact_id", "operator": "starts_with", "value": "compared-"}
    first = {"attribute": "contact_id", "operator": "eq", "value": "compared-1"}
    before = [{"match": "all", "conditions": [here]}]
    assert worker.ask("POST", "/segments", definition(segment_id="draft", clusters=before))[0] == 201
    deadline = time.monotonic() + 30
    while len(worker.ask("GET", "/segments/draft/contacts")[2].get("contacts", [])) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    draft = {"segment_id": "draft", "type": "standard", "clusters": [{"match": "all", "conditions": [first]}]}
    try:
        body = orjson.dumps({"definition": draft, "compare": True, "sample": 5})
        status, _, found = worker.ask("POST", "/preview?words=en", body)
        assert (status, found["contacts"], found["sample"]) == (200, 1, ["compared-1"])
        compared = found["compared"]
        assert compared["with_version"] == 1
        assert [(one["change"], one["text"].strip()) for one in compared["differences"][1:]] == [
            ("removed", 'contact id starts with "compared-"'),
            ("added", "contact id is compared-1"),
        ]
        assert compared["leaving"]["sample"] == ["compared-2"]
        assert [one["words"] for one in compared["leaving"]["reasons"]] == ["contact id is compared-1"]
        assert compared["staying"] == {"contacts": 1, "sample": ["compared-1"]}
        assert compared["entering"]["contacts"] == 0
        for contact_id, member in (("compared-1", True), ("compared-2", False)):
            body = orjson.dumps({"definition": draft, "contact_id": contact_id})
            status, _, found = worker.ask("POST", "/preview?words=en", body)
            explained = found["explanation"]
            assert (status, explained["member"], explained["contact_id"]) == (200, member, contact_id)
            (cluster,) = explained["parts"][0]["clusters"]
            assert cluster["conditions"][0]["words"] == "contact id is compared-1"
        body = orjson.dumps({"definition": draft, "contact_id": "nobody"})
        status, _, problem = worker.ask("POST", "/preview", body)
        assert (status, problem["code"], problem["path"]) == (404, "not_found", "contact_id")
        ben = {"Authorization": f"Bearer {BEN}"}
        body = orjson.dumps({"definition": draft, "compare": True})
        status, _, problem = worker.ask("POST", "/preview", body, **ben)
        assert (status, problem["code"], problem["path"]) == (403, "not_permitted", "definition.segment_id")
    finally:
        for segment_id in ("draft", "compared"):
            worker.ask("DELETE", f"/segments/{segment_id}")
