"""A worker's API on its own web server; the test supplies the other parts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from agents.api.application import Api
from agents.api.recent_errors import RecentErrors
from agents.api.web_server import WebServer
from agents.metrics import Metrics
from streamseg.settings import Settings


class Producer:
    """Takes everything."""

    async def send(self, *_: Any, **__: Any) -> int:
        return 0


_PARTS = ("commands", "catalogue_topic", "definition_topic", "progress", "scheduler", "batch_producer")


@asynccontextmanager
async def served(settings: Settings, **parts: Any) -> AsyncIterator[tuple[Api, int]]:
    """The API and the port that it is served on. Parts that are not given are never asked anything; `ending`
    is as for Api."""
    made: dict[str, Any] = {
        "ending": lambda: False,
        "recent_errors": RecentErrors(),
        "condition": dict,
        "now_ms": lambda: time.time_ns() // 1_000_000,
        **{name: SimpleNamespace() for name in _PARTS},
        "batch_producer": Producer(),
        **parts,
    }
    metrics = Metrics()
    api = Api(settings, port=lambda: server.port, metrics=metrics, **made)
    server = WebServer(
        settings=settings,
        metrics=metrics,
        problem=lambda: None,
        observe=lambda: None,
        not_ready=list,
        mount=api.mount,
    )
    await server.start()
    await api.start()
    try:
        yield api, server.port
    finally:
        await server.stop()
        await api.stop()
