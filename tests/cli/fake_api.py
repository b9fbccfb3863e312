"""A worker's API in memory, with the parts that the command line needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx

ME = "me@x.cn"
LABELS = {
    "zh": {"standard": "标准分群", "advanced": "高级分群", "static": "静态分群", "completed": "计算完成",
           "calculating": "计算中", "not_calculated": "未计算", "shared": "/"},
    "en": {"standard": "Standard segment", "advanced": "Advanced segment", "static": "Static segment",
           "completed": "Completed", "calculating": "Calculating", "not_calculated": "Not calculated",
           "shared": "/"},
}  # fmt: skip
_AT = "2026-05-01T00:00:00.000Z"
_LATER = "2026-05-02T00:00:00.000Z"
_BY_TIME = {"kind": "time", "ref": None}
STANDING = {
    "at": _LATER,
    "complete_since": _AT,
    "segments": [
        {"segment_id": "s1", "entered_at": _AT, "sequence": 1, "segment_version": 1, "reason": _BY_TIME},
        {"segment_id": "s2", "entered_at": None, "sequence": 3, "segment_version": None, "reason": None},
    ],
}
LEFT = {
    "contacts": [
        {
            "contact_id": "c9",
            "entered_at": None,
            "left_at": _AT,
            "sequence": 2,
            "segment_version": 1,
            "reason": _BY_TIME,
        }
    ],
    "next_cursor": None,
    "complete_since": _AT,
}
GROWTH = {
    "by": "day",
    "timezone": "UTC",
    "complete_since": _AT,
    "contacts": 1234,
    "buckets": [
        {
            "start": _AT,
            "end": _LATER,
            "contacts": 1234,
            "entered": {"behavior_event": 1000, "time": 2},
            "left": {"deletion": 3},
            "complete": True,
        }
    ],
    "versions": [],
}
OWN = ["view_contacts", "view_conditions", "edit", "copy", "delete", "move", "share", "calculate"]
EXPLANATION = {
    "segment_id": "cn",
    "segment_version": 1,
    "contact_id": "c1",
    "at": "2026-05-03T00:00:00.000Z",
    "member": True,
    "since": "2026-05-01T00:00:00.000Z",
    "sequence": 1,
    "next_change_at": "2026-05-08T00:00:00.000Z",
    "parts": [
        {
            "name": "中国",
            "relation": "include",
            "holds": True,
            "clusters": [
                {
                    "match": "all",
                    "holds": True,
                    "conditions": [
                        {
                            "condition": {"attribute": "location", "operator": "eq", "value": "中国"},
                            "holds": True,
                            "since": "2026-05-01T00:00:00.000Z",
                            "may_change_at": None,
                            "value": "中国",
                        }
                    ],
                }
            ],
        }
    ],
}


ERASURE: dict[str, Any] = {
    "contact_id": "c1",
    "erased_at": "2026-05-01T00:00:00.000Z",
    "known_again": False,
    "kept_suppressions": ["email"],
    "places": [
        {"place": "state", "gone_by": None},
        {"place": "disk", "gone_by": "2026-05-08T00:00:00.000Z"},
        {"place": "a place of a later release", "gone_by": "2026-05-09T00:00:00.000Z"},
    ],
}


def problem(status: int, code: str, title: str, detail: str = "", **more: Any) -> httpx.Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **more}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})


# Some take U+2028 for the end of a line.
WATCHED = {
    "contact_id": "c1",
    "segment_id": "cn",
    "words": "why",
    "reason": {"kind": "behavior_event", "ref": "e\u20281"},
}
CHANGES = [
    ("change", {**WATCHED, "change": "entered", "effective_at": "2026-05-01T00:00:00.000Z"}),
    ("skipped", {"changes": 1200}),
    ("skipped", {"changes": None}),
    ("change", {**WATCHED, "change": "exited", "effective_at": "2026-05-02T00:00:00.000Z"}),
]


def stream(events: list[tuple[str, Any]]) -> httpx.Response:
    """An answer with server-sent events."""
    texts = [
        f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n: heartbeat\n\n"
        for name, data in events
    ]
    return httpx.Response(200, text="".join(texts), headers={"Content-Type": "text/event-stream"})


TIMELINE = {
    "rows": [
        {"at": "2026-05-02T00:00:00.000Z", "kind": "membership", "segment_id": "cn", "change": "entered",
         "sequence": 1},
        {"at": "2026-05-01T00:00:00.000Z", "kind": "event", "event": "paid", "event_id": "e",
         "derived": False, "properties": {"amount": 1}, "label": None},
        {"at": "2026-05-01T00:00:00.000Z", "kind": "event", "event": "email_click", "event_id": "f",
         "derived": False, "properties": {}, "label": "e-mail click"},
    ],
    "next_cursor": "abc",
}  # fmt: skip
COMPARED = {
    "known": 2000,
    "at": "2026-05-03T00:00:00.000Z",
    "with_version": 3,
    "entering": {
        "contacts": 1,
        "sample": ["c1"],
        "reasons": [
            {"definition": "in_force", "part": 0, "cluster": 0, "condition": 0, "holds": False, "contacts": 1,
             "test": {"attribute": "location", "operator": "eq", "value": "中国"}},
        ],
    },
    "leaving": {
        "contacts": 1000,
        "sample": ["c3"],
        "reasons": [
            {"definition": "draft", "part": 1, "cluster": None, "condition": None, "holds": True,
             "contacts": 1000, "test": None},
        ],
    },
    "staying": {"contacts": 1233, "sample": []},
    "parts": [],
}  # fmt: skip


VERSIONS = [
    {"version": 2, "name": "CN", "saved_by": "han@x.cn", "saved_at": "2026-05-02T00:00:00.000Z"},
    {"version": 1, "name": "中国", "saved_by": None, "saved_at": None},
]


def _version(number: int, query: dict[str, str], definition: dict[str, Any]) -> dict[str, Any]:
    shown = {**VERSIONS[2 - number], "definition": definition, "words": "…"}
    if "since" in query:
        lines = (("same", "all of (and)"), ("removed", "  name is set"), ("added", "  location is 中国"))
        shown["differences"] = [{"change": change, "text": text} for change, text in lines]
    return shown


def _previewed(body: dict[str, Any]) -> dict[str, Any]:
    if "contact_id" in body:
        return {"explanation": {**EXPLANATION, "contact_id": body["contact_id"]}}
    found: dict[str, Any] = {"contacts": 1234, "sample": ["c1", "c2"][: body["sample"]]}
    return {**found, "compared": COMPARED} if body.get("compare") else found


class FakeApi:
    """Segments, groups, contacts and lists; `requests` has (method, path, query, body) of each request.

    `refusals` maps (method, path) to the answer to give instead; `intercept` sees every request first.
    """

    def __init__(self) -> None:
        self.segments: dict[str, dict[str, Any]] = {}
        self.deleted: list[dict[str, Any]] = []
        self.groups: dict[str, str | None] = {"default": None}
        self.contacts: dict[str, list[str]] = {}
        self.looks = 0
        self.lists: dict[str, set[str]] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.headers: list[httpx.Headers] = []
        self.refusals: dict[tuple[str, str], httpx.Response] = {}
        self.intercept: Callable[[httpx.Request], None] = lambda _: None
        self.page_size = 200

    def add(self, segment_id: str, *, owner: str | None = ME, **definition: Any) -> None:
        """A segment that is there already."""
        made = {
            "name": segment_id.upper(),
            "type": "standard",
            "clusters": [
                {"match": "all", "conditions": [{"attribute": "name", "operator": "is_set"}]},
            ],
            **definition,
            "segment_id": segment_id,
        }
        if made["type"] != "standard":
            del made["clusters"]
        self._save(made, version=1, owner=owner, status="completed")

    def writes(self) -> list[tuple[str, str]]:
        """Method and path of what changed something."""
        return [
            (method, path) for method, path, _, _ in self.requests if method != "GET" and path != "/check"
        ]

    def handle(self, request: httpx.Request) -> httpx.Response:
        raw = request.url.raw_path.split(b"?")[0].decode()
        path = raw.removeprefix("/api/v1")
        body = json.loads(request.content) if request.content else None
        self.requests.append((request.method, path, dict(request.url.params), body))
        self.headers.append(request.headers)
        self.intercept(request)
        refusal = self.refusals.get((request.method, path))
        if refusal is not None:
            return refusal
        language = request.headers["Accept-Language"]
        return self._answer(request.method, path, dict(request.url.params), body, language)

    def _answer(
        self, method: str, path: str, query: dict[str, str], body: Any, language: str
    ) -> httpx.Response:
        steps = [unquote(step) for step in path.strip("/").split("/")]
        match method, steps:
            case "GET", ["segments"]:
                return self._list(query, language)
            case "POST", ["segments"]:
                if body.get("segment_id") in self.segments:
                    return problem(
                        409, "conflict", "In conflict", "there is such a segment", path="segment_id"
                    )
                return httpx.Response(201, json=self._shown(self._save(body, version=1), language))
            case "POST", ["batch", action]:
                return self._batch(action, body)
            case "GET", ["groups"]:
                rows = [
                    {
                        "group": group,
                        "label": {"zh": "默认分组", "en": "Default group"}[language]
                        if group == "default"
                        else group,
                        "built_in": owner is None,
                        "created_by": owner,
                        "segments": sum(one["group"] == group for one in self.segments.values()),
                    }
                    for group, owner in self.groups.items()
                ]
                return httpx.Response(200, json={"groups": rows})
            case "POST", ["groups"]:
                self.groups[body["group"]] = ME
                return httpx.Response(201, json={"group": body["group"]})
            case "PATCH", ["groups", group]:
                self.groups[body["group"]] = self.groups.pop(group)
                return httpx.Response(200, json={"group": body["group"]})
            case "DELETE", ["groups", group]:
                del self.groups[group]
                return httpx.Response(204)
            case "POST", ["check"]:
                return httpx.Response(204)
            case "POST", ["preview"]:
                return httpx.Response(200, json=_previewed(body))
            case "POST", ["contacts", "lists"]:
                ids = body.get("add", body.get("remove"))
                self.lists.setdefault(body["segment_id"], set()).update(ids)
                return httpx.Response(202, json={"accepted": len(ids)})
            case "GET", ["deleted-segments"]:
                start = int(query.get("cursor", 0))
                end = start + min(int(query["limit"]), self.page_size)
                cursor = str(end) if end < len(self.deleted) else None
                return httpx.Response(200, json={"segments": self.deleted[start:end], "next_cursor": cursor})
            case "POST", ["deleted-segments", segment_id, "restore"]:
                made = body.get("new_segment_id", segment_id)
                self.add(made)
                return httpx.Response(201, json=self._shown(self.segments[made], language))
            case "GET", ["changes"]:
                return stream(CHANGES)
            case "GET", ["contacts"]:
                ids = [one for one in ("c1", "c2", "d1") if one.startswith(query["q"])]
                rows = [
                    {"contact_id": one, "name": None, "known_since": "2026-05-01T00:00:00.000Z"}
                    for one in ids
                ]
                return httpx.Response(200, json={"contacts": rows, "next_cursor": "c2" if ids else None})
            case "GET", ["contacts", contact, "timeline"]:
                return httpx.Response(200, json={"contact_id": contact, **TIMELINE})
            case "GET", ["contacts", contact, "segments"]:
                return httpx.Response(200, json={"contact_id": contact, **STANDING})
            case "GET", ["contacts", "c1", "export"]:
                return httpx.Response(200, json={"contact_id": "c1", "events": [{"event_id": "e1"}]})
            case "DELETE", ["contacts", _]:
                self.looks = 0
                return httpx.Response(202, json={"contact_id": "c1", "partition": 3, "offset": 42})
            case "GET", ["contacts", "c1", "erasure"]:
                self.looks += 1
                if self.looks == 1:
                    return problem(404, "not_found", "不存在", "no erasure of this contact")
                return httpx.Response(200, json={**ERASURE, "sent": self.looks > 2})
            case "GET", ["contacts", contact]:
                return self._contact(contact)
            case _, ["segments", segment_id, *rest] if segment_id in self.segments:
                return self._one(method, segment_id, rest, query, body, language)
        return problem(404, "not_found", "Not found", f"there is no {'/'.join(steps)}")

    def _one(
        self, method: str, segment_id: str, rest: list[str], query: dict[str, str], body: Any, language: str
    ) -> httpx.Response:
        segment = self.segments[segment_id]
        match method, rest:
            case "GET", []:
                return httpx.Response(200, json=self._shown(segment, language))
            case "PUT", []:
                if body["version"] != segment["version"]:
                    return problem(
                        409,
                        "conflict",
                        "In conflict",
                        "somebody changed it",
                        path="version",
                        current_version=segment["version"],
                    )
                saved = self._save(body, version=segment["version"] + 1)
                return httpx.Response(200, json=self._shown(saved, language))
            case "DELETE", []:
                del self.segments[segment_id]
                return httpx.Response(204)
            case "POST", ["copy"]:
                new_id = (body or {}).get("new_segment_id", f"{segment_id}-copy")
                definition = {
                    **segment["definition"],
                    "segment_id": new_id,
                    "name": segment["name"] + "_复制",
                }
                return httpx.Response(201, json=self._shown(self._save(definition, version=1), language))
            case "GET", ["versions"]:
                return httpx.Response(200, json={"versions": VERSIONS})
            case "GET", ["versions", number]:
                return httpx.Response(200, json=_version(int(number), query, segment["definition"]))
            case "POST", ["versions", _, "revert"]:
                saved = self._save(segment["definition"], version=segment["version"] + 1)
                return httpx.Response(200, json=self._shown(saved, language))
            case "POST", ["share"]:
                segment["shared_with"] = body["accounts"]
                return httpx.Response(200, json=self._shown(segment, language))
            case "POST", ["calculate"]:
                segment["status"] = "calculating"
                return httpx.Response(202, json=self._shown(segment, language))
            case "GET", ["growth"]:
                return httpx.Response(200, json={"segment_id": segment_id, **GROWTH})
            case "GET", ["contacts"] if "left_since" in query:
                return httpx.Response(200, json=LEFT)
            case "GET", ["contacts"]:
                ids = [
                    one
                    for one in self.contacts.get(segment_id, [])
                    if one > query.get("after", "") and one.startswith(query.get("q", ""))
                ]
                page = ids[: min(int(query["limit"]), self.page_size)]
                return httpx.Response(
                    200,
                    json={
                        "contacts": [
                            {"contact_id": one, "entered_at": "2026-05-01T00:00:00.000Z", "sequence": 1}
                            for one in page
                        ],
                        "next_cursor": page[-1] if len(page) < len(ids) else None,
                    },
                )
            case "GET", ["contacts", _, "explain"]:
                return httpx.Response(200, json=EXPLANATION)
        return problem(404, "not_found", "Not found")

    def _list(self, query: dict[str, str], language: str) -> httpx.Response:
        rows = [self._shown(one, language) for _, one in sorted(self.segments.items())]
        if query.get("mine") == "true":
            rows = [row for row in rows if row["created_by"] == ME]
        for row in rows:
            del row["definition"]
        start = int(query.get("cursor", 0))
        end = start + min(int(query["limit"]), self.page_size)
        cursor = str(end) if end < len(rows) else None
        return httpx.Response(200, json={"rows": rows[start:end], "total": len(rows), "next_cursor": cursor})

    def _batch(self, action: str, body: Any) -> httpx.Response:
        for segment_id in body["segment_ids"]:
            match action:
                case "delete":
                    del self.segments[segment_id]
                case "move":
                    self.segments[segment_id]["group"] = body["group"]
                case "calculate":
                    self.segments[segment_id]["status"] = "calculating"
                case "share":
                    self.segments[segment_id]["shared_with"] = body["accounts"]
        return httpx.Response(200, json={"segment_ids": body["segment_ids"]})

    def _contact(self, contact: str) -> httpx.Response:
        if contact != "c1":
            return problem(404, "not_found", "Not found", f"there is no contact {contact}")
        return httpx.Response(
            200,
            json={
                "contact_id": "c1",
                "known_since": "2026-05-01T00:00:00.000Z",
                "attributes": {"location": "中国", "member_points": 120},
                "tags": ["vip"],
                "lists": ["fair"],
                "segments": [
                    {
                        "segment_id": "cn",
                        "entered_at": "2026-05-01T00:00:00.000Z",
                        "sequence": 1,
                        "next_change_at": "2026-05-08T00:00:00.000Z",
                    }
                ],
            },
        )

    def _save(
        self, definition: dict[str, Any], *, version: int, owner: str | None = ME, status: str | None = None
    ) -> dict[str, Any]:
        segment_id = definition.get("segment_id", "made-up")
        kept = self.segments.get(segment_id, {})
        waits = {"advanced": "not_calculated", "static": "completed"}.get(definition["type"], "calculating")
        group = definition.get("group", kept.get("group", "default"))
        managed = {
            "version": version,
            "created_by": owner,
            "created_at": "2026-05-01T00:00:00.000Z",
            "updated_by": owner,
            "updated_at": "2026-05-02T00:00:00.000Z",
            "shared_with": definition.get("shared_with", kept.get("shared_with", [])),
        }
        self.segments[segment_id] = {
            "segment_id": segment_id,
            "name": definition["name"],
            "type": definition["type"],
            "group": group,
            "status": status or waits,
            "progress": 1.0 if status == "completed" else 0.42,
            "contacts": 1234,
            **managed,
            "operations": OWN if owner == ME else ["view_contacts", "copy"],
            "definition": {**definition, "segment_id": segment_id, "group": group, **managed},
        }
        return self.segments[segment_id]

    def _shown(self, segment: dict[str, Any], language: str) -> dict[str, Any]:
        labels = LABELS[language]
        return {
            **segment,
            "type_label": labels[segment["type"]],
            "status_label": labels[segment["status"]],
        }
