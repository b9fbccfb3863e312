"""Section 3, how conditions make a segment: clusters, parts, references, samples, static lists, `not`."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from tests.engine.story import Replayed, all_of, any_of, definition, event, segment, static, tick, update

CHINA = {"attribute": "location", "operator": "eq", "value": "中国"}
IMPORTED = {"attribute": "imported_at", "operator": "within_last", "value": "P7D"}
EVERYBODY = {"attribute": "contact_id", "operator": "is_set"}
SIGNED_UP = {
    "event": "form_submit",
    "where": all_of(
        {"property": "form", "operator": "eq", "value": "会员注册"},
        {"property": "name", "operator": "is_set"},
        {"property": "email", "operator": "is_set"},
    ),
}
SCANNED = {
    "event": "wechat_scan",
    "where": all_of({"property": "scene", "operator": "eq", "value": "会员注册二维码"}),
}
EXAMPLE = {
    "type": "standard",
    "name": "案例分群",
    "version": 3,
    "clusters": [all_of(CHINA, IMPORTED), any_of(SIGNED_UP, SCANNED)],
}
FORM = {"form": "会员注册", "name": "李雷", "email": "a@b.cn"}
RECENT = {"location": "中国", "imported_at": "2026-05-01T08:00:00+08:00"}


def test_the_acceptance_example_is_entered_by_the_form_and_left_when_the_import_ages(
    changes_of: Replayed,
) -> None:
    lines = [
        definition("01-01", "cn-members", EXAMPLE),
        update("05-01 08:00", RECENT),
        event("05-02 10:00", "form_submit", FORM),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-02 10:00 cn-members entered (behavior_event)",
        "05-08 08:00 cn-members exited (time)",
    ]


def test_the_acceptance_example_is_entered_by_the_qr_code_too(changes_of: Replayed) -> None:
    lines = [
        definition("01-01", "cn-members", EXAMPLE),
        event("05-01 07:00", "wechat_scan", {"scene": "会员注册二维码"}),
        update("05-01 08:00", RECENT),
        update("05-03", {"location": "法国"}),
    ]
    assert changes_of(*lines) == [
        "05-01 08:00 cn-members entered (contact_update)",
        "05-03 cn-members exited (contact_update)",
    ]


@pytest.mark.parametrize(
    "records",
    [
        [update("05-01 08:00", RECENT), event("05-02", "form_submit", {**FORM, "email": ""})],
        [update("05-01 08:00", RECENT), event("05-02", "form_submit", {**FORM, "form": "联系我们"})],
        [update("05-01 08:00", RECENT), event("05-02", "wechat_scan", {"scene": "门店二维码"})],
        [update("05-01 08:00", {**RECENT, "location": "法国"}), event("05-02", "form_submit", FORM)],
        [update("05-01 08:00", RECENT), event("05-08 08:00", "form_submit", FORM)],
    ],
)
def test_the_acceptance_example_needs_all_of_it(changes_of: Replayed, records: list[dict[str, Any]]) -> None:
    assert changes_of(definition("01-01", "cn-members", EXAMPLE), *records) == []


def test_the_change_on_the_wire(changes_of: Replayed) -> None:
    lines = [
        definition("01-01", "cn-members", EXAMPLE),
        update("05-01 08:00", RECENT),
        event("05-02 10:00", "form_submit", FORM, id_="e-1"),
        tick("06-01"),
    ]
    entered, exited = changes_of.raw(*lines)
    entered["reason"].pop("ref", None)
    assert entered == {
        "change_id": "cn-members|c1|1777687200000|1",
        "segment_id": "cn-members",
        "segment_version": 3,
        "contact_id": "c1",
        "change": "entered",
        "sequence": 1,
        "effective_at": "2026-05-02T02:00:00.000Z",
        "reason": {"kind": "behavior_event"},
    }
    assert exited["change_id"] == "cn-members|c1|1778198400000|2"


def test_a_member_of_an_advanced_segment_is_in_an_include_part_and_in_no_exclude_part(
    changes_of: Replayed,
) -> None:
    tag = {"attribute": "tags", "operator": "contains_any"}
    parts = [
        {"name": "a", "relation": "include", "clusters": [all_of({**tag, "value": ["a"]})]},
        {"name": "b", "relation": "include", "clusters": [all_of({**tag, "value": ["b"]})]},
        {"name": "x", "relation": "exclude", "clusters": [all_of({**tag, "value": ["x"]})]},
    ]
    lines = [
        definition("01-01", "push", {"type": "advanced", "parts": parts}),
        update("05-01", tags={"set": ["a"]}),
        update("05-02", tags={"set": ["b"]}),
        update("05-03", tags={"set": ["b", "x"]}),
        update("05-04", tags={"set": ["x"]}),
        update("05-05", tags={"set": ["a", "b"]}),
        update("05-06", tags={"set": []}),
    ]
    assert changes_of(*lines) == [
        "05-01 push entered (contact_update)",
        "05-03 push exited (contact_update)",
        "05-05 push entered (contact_update)",
        "05-06 push exited (contact_update)",
    ]


def test_an_exclusion_can_end_by_time(changes_of: Replayed) -> None:
    parts = [
        {"name": "in", "relation": "include", "clusters": [all_of(EVERYBODY)]},
        {
            "name": "out",
            "relation": "exclude",
            "clusters": [all_of({"event": "email_send", "window": {"last": "P3D"}})],
        },
    ]
    lines = [
        definition("01-01", "push", {"type": "advanced", "parts": parts}),
        update("05-01"),
        event("05-02", "email_send"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-01 push entered (contact_update)",
        "05-02 push exited (behavior_event)",
        "05-05 push entered (time)",
    ]


def test_references_flip_in_the_same_step_for_the_same_reason(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy", "window": {"last": "P1D"}}, of="z-buyer"),
        segment({"segment": "z-buyer"}, of="is"),
        segment({"segment": "z-buyer", "member": False}, of="is-not"),
        segment({"segment": "is", "not": True}, of="far"),
        event("05-01", "buy"),
        tick("05-03"),
    ]
    assert changes_of(*lines) == [
        "05-01 is entered (behavior_event)",
        "05-01 z-buyer entered (behavior_event)",
        "05-02 far entered (time)",
        "05-02 is exited (time)",
        "05-02 is-not entered (time)",
        "05-02 z-buyer exited (time)",
    ]


def test_a_static_segment_and_a_built_in_one_can_be_referred_to(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        segment({"segment": "fair"}, {"segment": "global-unsubscribed", "member": False}),
        update("05-01", lists={"add": ["fair"]}),
        update("05-02", {"subscribed": False}),
        update("05-03", {"subscribed": True}),
        update("05-04", lists={"remove": ["fair"]}),
    ]
    assert changes_of(*lines) == [
        "05-01 fair entered (contact_update)",
        "05-01 s entered (contact_update)",
        "05-02 global-unsubscribed entered (contact_update)",
        "05-02 s exited (contact_update)",
        "05-03 global-unsubscribed exited (contact_update)",
        "05-03 s entered (contact_update)",
        "05-04 fair exited (contact_update)",
        "05-04 s exited (contact_update)",
    ]


def test_newer_list_changes_win_and_of_two_at_one_time_the_later_record(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        update("05-02", lists={"add": ["fair"]}),
        update("05-03", lists={"remove": ["fair"]}, stated="05-01"),
        update("05-04", lists={"remove": ["fair"]}, stated="05-02"),
        update("05-05", lists={"add": ["fair"]}, stated="05-01 23:59"),
    ]
    assert changes_of(*lines) == ["05-02 fair entered (contact_update)", "05-04 fair exited (contact_update)"]


def test_a_sample_is_the_hash_of_salt_and_contact(changes_of: Replayed) -> None:
    contacts = [f"c{number}" for number in range(40)]

    def share(salt: str, contact_id: str) -> float:
        return int.from_bytes(sha256(f"{salt}\0{contact_id}".encode()).digest()[:8], "big") / 2**64

    lines = [
        segment({"sample": 0.25, "salt": "盐"}, of="salted"),
        segment({"sample": 0.25}, of="quarter"),
        segment({"sample": 1}, of="all"),
        *(update("05-01", of=contact_id) for contact_id in contacts),
    ]
    entered = {(change["segment_id"], change["contact_id"]) for change in changes_of.raw(*lines)}
    assert entered == (
        {("salted", contact_id) for contact_id in contacts if share("盐", contact_id) < 0.25}
        | {("quarter", contact_id) for contact_id in contacts if share("quarter", contact_id) < 0.25}
        | {("all", contact_id) for contact_id in contacts}
    )


def test_not_is_the_complement_for_every_known_contact(changes_of: Replayed) -> None:
    lines = [
        segment({**SCANNED, "not": True}, of="no-scan"),
        segment({"event": "buy", "not": True, "count": {"operator": "ge", "value": 2}}, of="few"),
        segment({"attribute": "v", "operator": "ne", "value": 1, "not": True}, of="one"),
        event("05-01", "buy"),
        event("05-02", "wechat_scan", {"scene": "会员注册二维码"}),
        update("05-03", {"v": 1}),
        event("05-04", "buy"),
    ]
    assert changes_of(*lines) == [
        "05-01 few entered (behavior_event)",
        "05-01 no-scan entered (behavior_event)",
        "05-02 no-scan exited (behavior_event)",
        "05-03 one entered (contact_update)",
        "05-04 few exited (behavior_event)",
    ]


def test_everybody_is_everybody_known(changes_of: Replayed) -> None:
    lines = [segment(EVERYBODY), event("05-01", "x", of="c2"), update("05-02"), event("05-03", "x")]
    assert changes_of(*lines) == ["05-01 c2 s entered (behavior_event)", "05-02 s entered (contact_update)"]
