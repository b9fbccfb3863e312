"""The definition is copied for a shell and for the command line, and works where it is pasted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
from playwright.sync_api import Page, expect

from tests.browser.clipboard import copied, pasted
from tests.browser.conftest import PLAYWRIGHT_WAIT_MS, Shop

expect.set_options(timeout=PLAYWRIGHT_WAIT_MS)

NAME = """It's `$HOME` "2026" <<"""
CHINA = {"match": "all", "conditions": [{"attribute": "location", "operator": "eq", "value": "中'国"}]}


def test_the_command_for_curl_saves_the_definition(page: Page, shop: Shop) -> None:
    page.goto("/console/new/standard")
    page.get_by_role("tab", name="JSON / YAML").click()
    # Nothing that would be refused is copied.
    expect(page.get_by_text("填好名称和条件后")).to_be_visible()
    definition = {"type": "standard", "clusters": [CHINA]}
    page.get_by_role("textbox", name="JSON / YAML").fill(orjson.dumps(definition).decode())
    page.get_by_role("textbox", name="分群名称", exact=True).fill(NAME)
    command = copied(page, "复制为 curl 命令")
    assert "Authorization" not in command
    made = pasted(command)
    assert (made["name"], made["version"]) == (NAME, 1)
    assert made["definition"]["clusters"] == [CHINA]

    page.goto(f"/console/segments/{made['segment_id']}/edit")
    page.get_by_role("textbox", name="分群名称", exact=True).fill("改名")
    page.get_by_role("tab", name="JSON / YAML").click()
    command = copied(page, "复制为 curl 命令")
    changed = pasted(command)
    assert (changed["segment_id"], changed["name"], changed["version"]) == (made["segment_id"], "改名", 2)
    # It replaces only the version that was edited.
    assert pasted(command)["code"] == "precondition_failed"


def test_the_file_is_applied_by_the_command_line(page: Page, shop: Shop, tmp_path: Path) -> None:
    shop.create(segment_id="filed", name="国内", type="standard", clusters=[CHINA])
    page.goto("/console/segments/filed/edit")
    page.get_by_role("textbox", name="分群名称", exact=True).fill(NAME)
    page.get_by_role("tab", name="JSON / YAML").click()
    (tmp_path / "filed.yaml").write_text(copied(page, "复制为命令行文件"))
    program = Path(sys.executable).with_name("streamseg")
    subprocess.run(
        [program, "segments", "apply", tmp_path, "--yes", "--url", shop.url], check=True, timeout=60
    )
    saved = shop.api.get("/segments/filed").json()
    assert (saved["name"], saved["version"]) == (NAME, 2)
    assert saved["definition"]["clusters"] == [CHINA]
