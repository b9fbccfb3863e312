"""The OpenAPI description has every request that the API answers, and no other."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from agents.api.application import BASE
from agents.api.openapi import description
from streamseg.settings import Settings
from tests.agents.api.served import served


def test_every_route_is_described_and_every_description_has_its_route(tmp_path: Path) -> None:
    described = [
        (method.upper(), BASE + re.sub(r"\{\w+\}", "x", path))
        for path, methods in description()["paths"].items()
        for method in methods
    ]

    async def main() -> None:
        application = web.Application()
        async with served(Settings(data_dir=tmp_path)) as (api, _):
            api.mount(application)
        found = [await application.router.resolve(make_mocked_request(*one)) for one in described]
        assert [one for one, match in zip(described, found, strict=True) if match.http_exception] == []
        answered = {match.route for match in found}
        assert [
            f"{route.method} {route.resource.canonical}"
            for route in application.router.routes()
            if route.resource is not None
            and route.resource.canonical.startswith(BASE)
            and route.method != "HEAD"
            and route not in answered
        ] == []

    asyncio.run(main())
