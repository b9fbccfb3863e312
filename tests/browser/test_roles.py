"""What a user may not do is not offered."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PLAYWRIGHT_WAIT_MS

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)


@pytest.mark.parametrize(("role", "contacts"), [("edit", True), ("read", False)])
def test_only_what_the_role_permits_is_offered(page: Page, role: str, contacts: bool) -> None:
    session = {
        "account": "ann",
        "signed_in": "cookie",
        "role": role,
        "contacts": contacts,
        "expires_at": None,
    }
    page.route("**/api/v1/session", lambda route: route.fulfill(json=session))
    page.goto("/console/segments")
    expect(page.get_by_text("ann")).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()
    wanted = 1 if role == "edit" else 0
    expect(page.get_by_role("button", name="新建分组")).to_have_count(wanted)
    expect(page.locator("main .ant-btn-primary, .ant-btn-primary")).to_have_count(wanted)
    links = page.locator("nav[aria-label] a")
    expect(links).to_have_count(3 if contacts else 1)
