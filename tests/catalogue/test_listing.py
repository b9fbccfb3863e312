"""The list and the groups, as each account sees them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from streamseg.catalogue import adoption, listing
from streamseg.errors import RejectedError
from tests.catalogue.catalogues import ANN, BEN, EVE, NOW, Desk, advanced, standard, static

BUILT_IN = {"global-unsubscribed", "email-unsubscribed", "mobile-unsubscribed"}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """ann: std (shared with ben), adv (shared), list, in that order; ben: his, in `g`; nobody: theirs."""
    desk = Desk()
    desk.ask(BEN, "create_group", group="g")
    desk.create(ANN, standard("std", name="Beta", shared_with=[BEN, EVE]))
    desk.now_ms = NOW + 1
    desk.create(ANN, advanced("adv", name="alpha", shared_with=[BEN]))
    desk.now_ms = NOW + 2
    desk.create(ANN, static("list", name="gamma", group="g"))
    desk.create(BEN, standard("his", name="案例分群", group="g"))
    desk.finish("std", contacts=7)
    desk.publish(adoption.adopt(desk.catalogue, "theirs", {**standard("theirs"), "version": 1}))
    return desk


def ids(page: listing.Page) -> list[str]:
    return [one.segment_id for one in page.rows]


@pytest.mark.parametrize(
    ("account", "seen"),
    [
        (ANN, {"std", "adv", "list", "theirs"}),
        (BEN, {"std", "adv", "his", "theirs"}),
        (EVE, {"std", "theirs"}),
        ("new@x.cn", {"theirs"}),
    ],
)
def test_an_account_sees_what_it_made_what_is_shared_and_what_is_built_in(
    desk: Desk, account: str, seen: set[str]
) -> None:
    page = listing.rows(desk.catalogue, account)
    assert set(ids(page)) == seen | BUILT_IN
    assert (page.total, page.next_cursor) == (len(seen) + 3, None)


ALL_OPERATIONS = (
    "view_contacts",
    "view_conditions",
    "edit",
    "copy",
    "delete",
    "move",
    "share",
    "calculate",
)


@pytest.mark.parametrize(
    ("account", "segment_id", "status", "operations"),
    [
        (ANN, "std", "completed", ALL_OPERATIONS),
        (ANN, "adv", "not_calculated", ALL_OPERATIONS[1:]),
        (ANN, "list", "completed", ("view_contacts", "edit", "copy", "delete", "move", "share")),
        (BEN, "his", "calculating", ALL_OPERATIONS),
        (BEN, "std", "shared", ("view_contacts", "view_conditions", "copy")),
        (BEN, "adv", "shared", ("view_conditions", "copy")),
        (ANN, "theirs", "shared", ("view_contacts", "view_conditions", "copy")),
        (ANN, "email-unsubscribed", "completed", ("view_contacts",)),
    ],
)
def test_what_an_account_may_do(
    desk: Desk, account: str, segment_id: str, status: str, operations: tuple[str, ...]
) -> None:
    one = listing.row(desk.catalogue, account, segment_id)
    assert (one.status, one.operations) == (status, operations)
    assert one in listing.rows(desk.catalogue, account).rows


def test_a_row_shows_what_the_list_shows(desk: Desk) -> None:
    assert listing.row(desk.catalogue, ANN, "std").wire() == {
        "segment_id": "std",
        "name": "Beta",
        "type": "standard",
        "group": "default",
        "version": 1,
        "status": "completed",
        "progress": 1,
        "contacts": 7,
        "created_by": ANN,
        "created_at": "2026-05-01T00:00:00.000Z",
        "updated_by": ANN,
        "updated_at": "2026-05-01T00:00:00.000Z",
        "shared_with": (BEN, EVE),
        "operations": ALL_OPERATIONS,
    }


def test_others_do_not_learn_with_whom_a_segment_is_shared(desk: Desk) -> None:
    assert listing.row(desk.catalogue, BEN, "std").shared_with == ()


@pytest.mark.parametrize(
    ("account", "segment_id", "code"),
    [(ANN, "nobody", "unknown_reference"), (EVE, "adv", "not_permitted")],
)
def test_what_an_account_does_not_see_is_not_shown(
    desk: Desk, account: str, segment_id: str, code: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        listing.row(desk.catalogue, account, segment_id)
    assert (caught.value.code, caught.value.path) == (code, "segment_id")


@pytest.mark.parametrize(
    ("filters", "seen"),
    [
        ({"group": "all"}, {"std", "adv", "his", "theirs"} | BUILT_IN),
        ({"group": "mine"}, {"his"}),
        ({"mine": True}, {"his"}),
        ({"group": "g"}, {"his"}),
        ({"group": "default"}, {"std", "adv", "theirs"}),
        ({"group": "default", "mine": True}, set()),
        ({"group": "channel-unsubscribed"}, BUILT_IN),
        ({"search": "ALP"}, {"adv"}),
        ({"search": "分群", "group": "g"}, {"his"}),
        ({"search": "邮件"}, {"email-unsubscribed"}),
        ({"search": "e-mail", "language": "en"}, {"email-unsubscribed"}),
        ({"kind": "advanced"}, {"adv"}),
        ({"kind": "built_in"}, BUILT_IN),
        ({"kind": "standard", "group": "g"}, {"his"}),
        # The account sees segments of others as shared, whatever their status is.
        ({"status": "shared"}, {"std", "adv", "theirs"}),
        ({"status": "calculating"}, {"his"}),
        ({"status": "completed"}, BUILT_IN),
        ({"status": "not_calculated"}, set()),
        ({"created_by": ANN}, {"std", "adv"}),
        ({"created_by": BEN, "kind": "standard"}, {"his"}),
        ({"created_by": "nobody@x.cn"}, set()),
        ({"search": ""}, {"std", "adv", "his", "theirs"} | BUILT_IN),
    ],
)
def test_filters(desk: Desk, filters: Any, seen: set[str]) -> None:
    page = listing.rows(desk.catalogue, BEN, **filters)
    assert set(ids(page)) == seen
    assert page.total == len(seen)


ORDERS: dict[str, list[str]] = {
    "name": ["adv", "std", "list", "theirs"],
    "created_by": ["theirs", "adv", "list", "std"],
    "updated_by": ["theirs", "adv", "list", "std"],
    "created_at": ["theirs", "std", "adv", "list"],
    "updated_at": ["theirs", "std", "adv", "list"],
    "contacts": ["adv", "list", "theirs", "std"],
    "type": ["std", "theirs", "adv", "list"],
    "status": ["adv", "list", "std", "theirs"],
}


@pytest.mark.parametrize("sort", list(ORDERS))
def test_orders(desk: Desk, sort: Any) -> None:
    up = [one for one in ids(listing.rows(desk.catalogue, ANN, sort=sort)) if one not in BUILT_IN]
    assert up == ORDERS[sort]
    down = listing.rows(desk.catalogue, ANN, sort=sort, descending=True)
    assert [one for one in ids(down) if one not in BUILT_IN] == ORDERS[sort][::-1]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", list(ORDERS))
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_make_up_the_list(desk: Desk, sort: Any, descending: bool, limit: int) -> None:
    order: Any = {"sort": sort, "descending": descending}
    seen: list[str] = []
    cursor = None
    while True:
        page = listing.rows(desk.catalogue, ANN, cursor=cursor, limit=limit, **order)
        assert page.total == 7
        seen += ids(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids(listing.rows(desk.catalogue, ANN, **order))


def test_a_cursor_goes_on_behind_a_row_that_is_gone() -> None:
    desk = Desk()
    for name in "abc":
        desk.create(ANN, standard(name))
    page = listing.rows(desk.catalogue, ANN, mine=True, limit=2)
    desk.ask(ANN, "delete", segment_ids=["a", "b"])
    assert ids(listing.rows(desk.catalogue, ANN, mine=True, cursor=page.next_cursor)) == ["c"]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"group": "nobody's"}, ("unknown_reference", "group")),
        ({"limit": 0}, ("invalid_schema", "limit")),
        ({"limit": 1_001}, ("invalid_schema", "limit")),
        ({"sort": "group"}, ("invalid_schema", "sort")),
        *[
            ({"cursor": cursor}, ("invalid_schema", "cursor"))
            for cursor in (
                "",
                "?",
                "分",
                encoded("{}"),
                encoded("1"),
                encoded('["name", false, "a"]'),
                encoded('["name", false, 1, "a"]'),
                encoded('["name", false, "a", 1]'),
                encoded('["name", true, "a", "a"]'),
                encoded('["created_by", false, "a", "a"]'),
                encoded('["contacts", false, 1, "a"]'),
            )
        ],
    ],
)
def test_refusals(desk: Desk, arguments: Any, expected: tuple[str, str]) -> None:
    with pytest.raises(RejectedError) as caught:
        listing.rows(desk.catalogue, ANN, **arguments)
    assert (caught.value.code, caught.value.path) == expected


def test_groups_count_what_the_account_sees(desk: Desk) -> None:
    listed = [(one.group, one.name, one.count, one.operations) for one in listing.groups(desk.catalogue, BEN)]
    assert listed == [
        ("all", "全部分群", 7, ()),
        ("mine", "我创建的", 1, ()),
        ("channel-unsubscribed", "渠道退订", 3, ()),
        ("default", "默认分组", 3, ()),
        ("g", "g", 1, ("rename", "delete")),
    ]
    assert listing.groups(desk.catalogue, ANN)[-1].wire() == {
        "group": "g",
        "name": "g",
        "count": 1,
        "created_by": BEN,
        "operations": (),
    }
    assert [one.count for one in listing.groups(desk.catalogue, EVE)] == [5, 0, 3, 2, 0]
    assert listing.groups(desk.catalogue, BEN, language="en")[0].name == "All segments"


def test_who_refers_to_a_segment_is_told_as_far_as_the_account_sees_it() -> None:
    desk = Desk()
    desk.create(ANN, standard("used", shared_with=[BEN]))
    asked = [{"match": "all", "conditions": [{"segment": "used"}]}]
    for account, segment_id in ((ANN, "by-ann"), (BEN, "by-ben"), (ANN, "also-ann")):
        desk.create(account, standard(segment_id, clusters=asked))
    assert listing.users(desk.catalogue, ANN, "used") == (("also-ann", "by-ann"), 1)
    assert listing.users(desk.catalogue, BEN, "used") == (("by-ben",), 2)
    assert listing.users(desk.catalogue, ANN, "by-ann") == ((), 0)
