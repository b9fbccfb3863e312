"""Section 2: a bad value of an update loses itself, not the update."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, Replayed, segment, static, update

OPTED_OUT = "05-01 global-unsubscribed entered (contact_update)"
A = {"attribute": "a", "operator": "is_set"}
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
TAGGED = {"attribute": "tags", "operator": "is_set"}


def letters_of(*lines: Line) -> list[DeadLetter]:
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    for line in lines:
        run.line(line)
    return letters


@pytest.mark.parametrize(
    "attributes",
    [
        {"mobile": 13800138000},
        {"member_id": 10023},
        {"member_points": "1,200"},
        {"member_points": True},
        {"order_count": "3"},
        {"order_amount": []},
        {"gender": 1},
        {"tags": "vip,gold"},
        {"imported_at": "2026/03/02 08:00:00"},
        {"created_at": "1 May"},
        {"member_day": "2026-02-30"},
        {"imported_at": True},
        {"overall_rating": False},
    ],
)
def test_an_opt_out_is_taken_from_beside_a_bad_attribute(
    changes_of: Replayed, attributes: dict[str, Any]
) -> None:
    line = update("05-01", {**attributes, "subscribed": False})
    assert changes_of(line, refused=[1]) == [OPTED_OUT]
    (letter,) = letters_of(line)
    (name,) = attributes
    assert (letter.code, letter.path, letter.paths) == (
        "invalid_value",
        f"attributes.{name}",
        (f"attributes.{name}",),
    )
    assert letter.record.value == orjson.dumps(line["value"])


@pytest.mark.parametrize("name", ["member_points", "imported_at", "order_count", "member_day"])
@pytest.mark.parametrize("blank", ["", " ", "\t\u3000\u0085"])
def test_an_empty_text_for_a_number_or_a_time_is_a_missing_value(
    changes_of: Replayed, name: str, blank: str
) -> None:
    lines = [
        segment({"attribute": name, "operator": "is_set"}),
        update("05-01", {name: 1_777_593_600_000}),
        update("05-02", {name: blank, "subscribed": False}),
    ]
    assert changes_of(*lines)[1:] == [
        "05-02 global-unsubscribed entered (contact_update)",
        "05-02 s exited (contact_update)",
    ]


def test_an_empty_text_for_the_boolean_is_a_missing_value(changes_of: Replayed) -> None:
    is_false = segment({"attribute": "subscribed", "operator": "eq", "value": False})
    lines = [is_false, update("05-01", {"subscribed": False}), update("05-02", {"subscribed": " "})]
    assert "05-02 s exited (contact_update)" in changes_of(*lines)


def test_an_empty_text_with_a_control_character_is_none(changes_of: Replayed) -> None:
    # U+001C counts as a space in Python; it has not the property White_Space
    lines = [segment(EVERYBODY), update("05-01", {"member_points": "\x1c"})]
    assert changes_of(*lines, refused=[2]) == ["05-01 s entered (contact_update)"]


@pytest.mark.parametrize("value", ["no", "false", 0, 1, []])
def test_an_opt_out_of_the_wrong_type_is_no_opt_out(changes_of: Replayed, value: Any) -> None:
    assert changes_of(update("05-01", {"subscribed": value}), refused=[1]) == []


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        case("attributes of another shape", {"attributes": [1]}, ["attributes"]),
        case("tags of another shape", {"tags": ["vip"]}, ["tags"]),
        case("lists of another shape", {"lists": "fair"}, ["lists"]),
        case("no text as a tag", {"tags": {"add": [5, "vip", None]}}, ["tags.add[0]", "tags.add[2]"]),
        case("an empty tag", {"tags": {"add": ["", " \u3000", "vip"]}}, ["tags.add[0]", "tags.add[1]"]),
        case("an empty tag that is to go", {"tags": {"remove": [""]}}, ["tags.remove[0]"]),
        case("one tag for a list", {"tags": {"add": "vip"}}, ["tags.add"]),
        case("an unknown key in tags", {"tags": {"drop.it": ["vip"]}}, ["tags.drop\\.it"]),
        case("an unknown key in lists", {"lists": {"set": ["fair"]}}, ["lists.set"]),
        case("tags that are set and added", {"tags": {"set": ["a"], "add": ["b"]}}, ["tags"]),
        case("an unknown list", {"lists": {"add": ["fair", "nowhere"]}}, ["lists.add[1]"]),
        case("a list that is no text", {"lists": {"remove": [{}]}}, ["lists.remove[0]"]),
        case(
            "what is not a list",
            {"lists": {"add": ["s", "global-unsubscribed"]}},
            ["lists.add[0]", "lists.add[1]"],
        ),
        case(
            "in the order of the record",
            {
                "lists": {"remove": ["x"], "add": ["y"]},
                "tags": {"remove": [1], "put": 1, "add": [2]},
                "attributes": {"email": 1, "tags": ["vip", 3], "a": 1, "created_at": "x"},
            },
            [
                "attributes.email",
                "attributes.tags[1]",
                "attributes.created_at",
                "tags.remove[0]",
                "tags.put",
                "tags.add[0]",
                "lists.remove[0]",
                "lists.add[0]",
            ],
        ),
    ],
)
def test_all_that_is_left_out_is_named(changes_of: Replayed, more: dict[str, Any], paths: list[str]) -> None:
    line = update("05-01")
    line["value"].update(more)
    definitions = [static("fair"), segment(EVERYBODY)]
    found = changes_of(*definitions, line, refused=[3])
    assert "05-01 s entered (contact_update)" in found
    (letter,) = letters_of(*definitions, line)
    assert letter.paths == tuple(paths)
    assert letter.path == paths[0]
    headers = dict(letter.headers())
    assert headers["error.code"] == b"invalid_value"
    assert headers["error.path"].decode() == paths[0]
    assert orjson.loads(headers["error.paths"]) == paths
    assert headers["record.applied"] == b"partly"


def test_what_is_good_beside_it_is_applied(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        segment(A, of="a"),
        segment(VIP, of="vip"),
        update("05-01", {"a": 1, "email": 5}, tags={"add": ["", "vip"]}, lists={"add": ["x", "fair"]}),
    ]
    assert changes_of(*lines, refused=[4]) == [
        f"05-01 {name} entered (contact_update)" for name in ("a", "fair", "vip")
    ]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        case("good entries", {"tags": {"set": ["", "vip", 1]}}, ["vip"]),
        case("none that is good", {"tags": {"set": ["", 1]}}, ["old"]),
        case("none at all", {"tags": {"set": []}}, []),
        case("of another shape", {"tags": {"set": "vip"}}, ["old"]),
        case("null", {"tags": {"set": None}}, ["old"]),
        case("good entries of the attribute", {"attributes": {"tags": ["", "vip", 1]}}, ["vip"]),
        case("none that is good of the attribute", {"attributes": {"tags": [" ", 1]}}, ["old"]),
        case("none at all of the attribute", {"attributes": {"tags": []}}, []),
        case("null for the attribute", {"attributes": {"tags": None}}, []),
        case("an attribute of another shape", {"attributes": {"tags": {"set": []}}}, ["old"]),
    ],
)
def test_tags_that_are_set_keep_the_good_ones(
    changes_of: Replayed, change: dict[str, Any], kept: list[str]
) -> None:
    line = update("05-02")
    line["value"].update(change)
    found = heard(update("05-01", tags={"set": ["old"]}), line)
    ((contact, _),) = found.run.contacts()
    entry = contact.attributes.get("tags")
    assert entry is not None
    assert entry[0] == kept
    for tag in ("old", "vip"):
        test = {"attribute": "tags", "operator": "contains_any", "value": [tag]}
        changes = changes_of(
            segment(test), update("05-01", tags={"set": ["old"]}), line, refused=[3] if found.refusals else []
        )
        assert (len(changes) % 2 == 1) is (tag in kept)


def test_a_tag_is_kept_as_it_was_sent(changes_of: Replayed) -> None:
    lines = [segment({**VIP, "value": [" vip\u3000"]}), update("05-01", tags={"add": [" vip\u3000"]})]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


@pytest.mark.parametrize("more", [{"attributes": {"email": 1}}, {"tags": 5}, {"lists": {"add": ["x"]}}])
def test_an_update_of_which_nothing_is_left_makes_the_contact_known(
    changes_of: Replayed, more: dict[str, Any]
) -> None:
    line = update("05-01", **{name: value for name, value in more.items() if name != "attributes"})
    line["value"].update(more)
    assert changes_of(segment(EVERYBODY), line, refused=[2]) == ["05-01 s entered (contact_update)"]


def test_beside_an_erasure_no_value_is_looked_at(changes_of: Replayed) -> None:
    erasure = update("05-02", deleted=True, tags=[5], lists={"add": ["nowhere"]})
    erasure["value"]["attributes"] = {"email": 1}
    lines = [segment(EVERYBODY), update("05-01", {"a": 1}), erasure]
    assert changes_of(*lines)[1:] == ["05-02 s exited (deletion)"]


@pytest.mark.parametrize(
    "more",
    [
        {"attributes": None},
        {"tags": None},
        {"lists": None},
        {"tags": {"add": None, "remove": None, "set": None}},
        {"lists": {"add": None, "remove": None}},
        {"updated_at": None},
        {"deleted": None},
        {"keep_suppressions": None},
    ],
)
def test_null_is_as_if_it_were_left_out(changes_of: Replayed, more: dict[str, Any]) -> None:
    line = update("05-02", {"b": 1})
    line["value"].update(more)
    lines = [segment(EVERYBODY), segment(TAGGED, of="t"), update("05-01", tags={"add": ["x"]}), line]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)", "05-01 t entered (contact_update)"]


def test_null_for_properties_is_as_if_they_were_left_out(changes_of: Replayed) -> None:
    value = {
        "event_id": "e",
        "contact_id": "c1",
        "event": "buy",
        "occurred_at": "2026-05-01",
        "properties": None,
    }
    line = {"topic": "behavior-events", "timestamp": "2026-05-01", "key": "c1", "value": value}
    is_not_set = {"property": "a", "operator": "is_not_set"}
    lines = [segment({"event": "buy", "where": {"match": "all", "conditions": [is_not_set]}}), line]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)"]


def test_a_value_that_is_too_old_is_judged_all_the_same() -> None:
    lines = [update("05-02", {"email": "a@b.cn"}), update("05-03", {"email": 1}, stated="05-01")]
    assert heard(*lines).refusals == [("invalid_value", "attributes.email")]


def test_a_record_that_is_read_again_changes_nothing() -> None:
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    value = orjson.dumps({"contact_id": "c1", "attributes": {"email": 1, "subscribed": False}})
    record = Record("contact-updates", 0, 7, 1_777_593_600_000, b"c1", value)
    run.partition.take(record)
    run.partition.take(record)
    assert [change.sequence for change in run.changes] == [1]


def test_paths_that_do_not_fit_into_a_header_end_with_those_that_do() -> None:
    (letter,) = letters_of(update("05-01", tags={"add": [0] * 200_000}))
    assert letter.paths is not None
    assert len(letter.paths) == 200_000
    header = dict(letter.headers())["error.paths"]
    assert len(header) <= 1 << 20
    assert orjson.loads(header) == list(letter.paths[: len(orjson.loads(header))])


def test_no_message_shows_a_value() -> None:
    mobile = "13800001111"
    bad = {"member_points": mobile, "email": [mobile], "created_at": mobile, "subscribed": mobile}
    for line in (
        *(update("05-01", {name: value}) for name, value in bad.items()),
        update("05-01", bad, tags={"add": [[mobile]]}, lists={"add": [mobile]}),
    ):
        (letter,) = letters_of(line)
        assert mobile not in letter.message
