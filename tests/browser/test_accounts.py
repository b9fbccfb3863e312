"""Several accounts with tokens: signing in, sharing, and what may only be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from confluent_kafka import Producer
from playwright.sync_api import Browser, Page, expect

from agents.api.roles import Role
from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from tests.agents.installation import installed
from tests.agents.known_tokens import token_of, write_tokens
from tests.browser.clipboard import copied, pasted
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop, complaints, new_context

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}]}
READER = token_of("rita")


class Office(NamedTuple):
    """A worker that wants tokens, asked as ann, and a way to open its page as nobody yet."""

    shop: Shop
    open: Callable[[], Page]


@pytest.fixture(scope="module")
def guarded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("accounts")
    tokens = write_tokens(
        folder / "tokens.yaml",
        {
            token_of("ann"): ("ann", Role.ADMIN),
            token_of("ben"): ("ben", Role.EDIT),
            READER: ("ben", Role.READ),
        },
        without_contacts=(READER,),
    )
    with EmbeddedBroker() as broker:
        settings = installed(broker, folder / "data").model_copy(update={"api_tokens_file": tokens})
        producer = Producer(
            {"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random", "log_level": 0}
        )
        with EmbeddedWorker(settings) as worker:
            assert worker.app is not None
            shop = Shop(f"http://127.0.0.1:{worker.app.web_server_service.port}", producer)
            shop.api.headers["Authorization"] = f"Bearer {token_of('ann')}"
            shop.fill()
            yield shop
            shop.api.close()


@pytest.fixture
def office(browser: Browser, guarded: Shop) -> Iterator[Office]:
    contexts = []
    failures: list[list[str]] = []

    def opened() -> Page:
        context = new_context(browser, guarded.url)
        contexts.append(context)
        page = context.new_page()
        failures.append(complaints(page))
        return page

    yield Office(guarded, opened)
    for context in contexts:
        context.close()
    guarded.clear()
    assert failures == [[] for _ in contexts]


def sign_in(page: Page, token: str, address: str = "/console/segments") -> None:
    page.goto(address)
    page.get_by_label("访问令牌").fill(token)
    page.keyboard.press("Enter")


def test_only_a_known_token_signs_in_and_the_page_does_not_keep_it(office: Office) -> None:
    page = office.open()
    sign_in(page, "streamseg_ann_wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.get_by_label("访问令牌").fill(token_of("ann"))
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("联系人分群")
    expect(page.get_by_text("ann", exact=True)).to_be_visible()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert token_of("ann") not in kept
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.reload()
    expect(page.get_by_text("ann", exact=True)).to_be_visible()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("访问令牌")).to_be_visible()


def test_the_next_account_in_a_browser_does_not_see_the_draft_of_the_one_before(office: Office) -> None:
    page = office.open()
    sign_in(page, token_of("ann"), "/console/new/standard")
    page.get_by_role("textbox", name="分群名称", exact=True).fill("安的草稿")
    page.wait_for_function("JSON.stringify({...localStorage}).includes('安的草稿')")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("访问令牌")).to_be_visible()
    assert "安的草稿" not in page.evaluate("JSON.stringify({...localStorage})")


def test_a_command_that_is_copied_takes_the_token_from_a_variable(office: Office) -> None:
    page = office.open()
    sign_in(page, token_of("ann"), "/console/new/standard")
    page.get_by_role("button", name="满18岁").click()
    page.get_by_role("tab", name="JSON / YAML").click()
    command = copied(page, "复制为 curl 命令")
    assert token_of("ann") not in command
    assert pasted(command, "wrong")["code"] == "unauthorized"
    assert pasted(command, token_of("ann"))["created_by"] == "ann"


def test_the_address_that_was_wanted_is_shown_after_signing_in(office: Office) -> None:
    page = office.open()
    sign_in(page, token_of("ben"), "/console/contacts/c4")
    expect(page.get_by_role("heading", level=1)).to_have_text("联系人4")


def test_a_shared_segment_is_looked_at_and_copied_but_not_changed(office: Office) -> None:
    office.shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    office.shop.create(segment_id="secret", name="保密", type="standard", clusters=[CHINA])
    ben = office.open()
    sign_in(ben, token_of("ben"))
    expect(ben.get_by_role("link", name="全局退订")).to_be_visible()
    expect(ben.get_by_role("link", name="国内", exact=True)).to_have_count(0)

    ann = office.open()
    sign_in(ann, token_of("ann"))
    ann.get_by_role("checkbox", name="选择 国内").check()
    ann.get_by_role("region", name="批量操作").get_by_role("button", name="共享").click()
    ann.get_by_role("dialog").get_by_role("combobox").fill("ben")
    ann.keyboard.press("Enter")
    ann.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(ann.get_by_role("dialog")).to_have_count(0)

    # The list of another account follows by itself.
    row = ben.get_by_role("row").filter(has_text="国内")
    expect(row).to_contain_text("/")
    for operation in ("编辑", "删除"):
        expect(ben.get_by_role("button", name=f"{operation} 国内", exact=True)).to_be_disabled()
    expect(ben.get_by_role("link", name="保密")).to_have_count(0)
    ben.get_by_role("link", name="国内", exact=True).click()
    expect(ben.get_by_text("所在地 等于 中国").first).to_be_visible()
    expect(ben.get_by_role("button", name="编辑")).to_have_count(0)
    ben.goto("/console/segments/secret")
    expect(ben.get_by_text("保密")).to_have_count(0)
    expect(ben.get_by_role("button", name="重试")).to_be_visible()

    ben.goto("/console/segments")
    ben.get_by_role("button", name="复制 国内").click()
    expect(ben.get_by_role("link", name="国内_复制")).to_be_visible()
    expect(ben.get_by_role("button", name="编辑 国内_复制", exact=True)).to_be_enabled()
    copied = {"Authorization": f"Bearer {token_of('ben')}"}
    with httpx.Client(base_url=f"{office.shop.url}/api/v1", headers=copied) as api:
        (copy,) = [one for one in api.get("/segments").json()["rows"] if one["created_by"] == "ben"]
        assert api.delete(f"/segments/{copy['segment_id']}").status_code == 204


def test_who_may_only_read_numbers_is_offered_no_more(office: Office) -> None:
    office.shop.create(segment_id="china", name="国内", type="standard", clusters=[CHINA])
    assert office.shop.api.post("/segments/china/share", json={"accounts": ["ben"]}).status_code == 200
    page = office.open()
    sign_in(page, READER)
    expect(page.get_by_role("link", name="国内", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation", name="页面").get_by_role("link")).to_have_text(["联系人分群"])
    expect(page.get_by_role("button", name="创建分群")).to_have_count(0)
    for operation in ("查看分群联系人", "编辑", "复制", "删除"):
        expect(page.get_by_role("button", name=f"{operation} 国内", exact=True)).to_be_disabled()
    page.goto("/console/health")
    expect(page.get_by_text("admin")).to_be_visible()
    page.goto("/console/contacts/c4")
    expect(page.get_by_role("button", name="重试")).to_be_visible()
    expect(page.get_by_text("联系人4")).to_have_count(0)
