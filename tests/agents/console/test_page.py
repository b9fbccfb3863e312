"""The worker serves the built page at /console/, and leads there from /."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from agents.console.page import BUILT, ConsolePage
from streamseg.settings import Settings

SCRIPT = b"console.log('page')" * 50


@pytest.fixture
def built(tmp_path: Path) -> Path:
    assets = tmp_path / "static" / "assets"
    assets.mkdir(parents=True)
    (assets / "index-1a2b.js").write_bytes(SCRIPT)
    (assets / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets.parent / "index.html").write_text(
        '<meta name="style-nonce" content="__STYLE_NONCE__">', encoding="utf-8"
    )
    return assets.parent


def asked(page: ConsolePage, ask: Callable[[aiohttp.ClientSession, str], Awaitable[Any]]) -> Any:
    """What `ask` returns of a server with the page at the given address."""

    async def main() -> Any:
        application = web.Application()
        page.mount(application)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        try:
            async with aiohttp.ClientSession(auto_decompress=False) as session:
                return await ask(session, f"http://{host}:{port}")
        finally:
            await runner.cleanup()

    return asyncio.run(main())


@pytest.mark.parametrize("address", ["/", "/console", "/console/", "/console/segments/a%2Fb/edit"])
def test_every_address_of_the_console_has_the_document(built: Path, address: str) -> None:
    async def ask(session: aiohttp.ClientSession, base: str) -> None:
        async with session.get(base + address) as answered:
            assert answered.status == 200
            assert answered.content_type == "text/html"
            assert answered.headers["Cache-Control"] == "no-store"
            policy = answered.headers["Content-Security-Policy"]
            nonce = re.search(r'content="([\w-]{20,})"', await answered.text())
            assert nonce is not None
            assert f"style-src 'self' 'nonce-{nonce.group(1)}'" in policy
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy

    asked(ConsolePage(Settings(), built), ask)


def test_two_answers_have_different_nonces(built: Path) -> None:
    async def ask(session: aiohttp.ClientSession, base: str) -> list[str]:
        return [await (await session.get(f"{base}/console/")).text() for _ in range(2)]

    first, second = asked(ConsolePage(Settings(), built), ask)
    assert first != second


def test_files_are_kept_for_long_and_sent_as_they_were_compressed(built: Path) -> None:
    async def ask(session: aiohttp.ClientSession, base: str) -> None:
        address = f"{base}/console/assets/index-1a2b.js"
        async with session.get(address, headers={"Accept-Encoding": "gzip"}) as answered:
            assert answered.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await answered.read()) == SCRIPT
            assert "immutable" in answered.headers["Cache-Control"]
        async with session.get(address, headers={"Accept-Encoding": "identity"}) as answered:
            assert await answered.read() == SCRIPT
        async with session.get(f"{base}/console/assets/none.js") as answered:
            assert answered.status == 404
            assert "Cache-Control" not in answered.headers

    asked(ConsolePage(Settings(), built), ask)


@pytest.mark.skipif(not (BUILT / "index.html").is_file(), reason="the console is not built: make console")
def test_the_files_of_the_page_are_small() -> None:
    files = [*(BUILT / "assets").glob("*.js.gz"), *(BUILT / "assets").glob("*.css.gz")]
    assert len(files) >= 2
    assert sum(file.stat().st_size for file in files) < 600_000


async def _statuses(session: aiohttp.ClientSession, base: str) -> list[int]:
    return [(await session.get(base + address)).status for address in ("/", "/console/")]


def test_the_setting_removes_the_console(built: Path) -> None:
    page = ConsolePage(Settings.model_validate({"console": "off"}), built)
    assert not page.served
    assert asked(page, _statuses) == [404, 404]


def test_a_worker_without_a_built_page_says_so_and_serves_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = ConsolePage(Settings(), tmp_path)
    with caplog.at_level(logging.WARNING):
        assert asked(page, _statuses) == [404, 404]
    assert "the console is not built" in caplog.text
