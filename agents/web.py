"""The worker's own web server: `/health` for probes, `/metrics` for Prometheus, and what is mounted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from mode import Service

from agents.http_connections import SWEEP_SECONDS, Connections, Limits, noted
from agents.metrics import CONTENT_TYPE, Metrics
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class WebServer(Service):
    """Serves from before the recovery until after the last checkpoint.

    `/health` answers 200 while the worker makes progress, of whatever kind, and 503 with the reason once
    it has made none for `stall_timeout_ms`: a liveness probe may then restart it.
    """

    mundane_level = "debug"

    def __init__(
        self,
        *,
        settings: Settings,
        metrics: Metrics,
        problem: Callable[[], str | None],
        observe: Callable[[], None],
        mount: Callable[[web.Application], None] | None = None,
        **kwargs: Any,
    ) -> None:
        """`problem` names what keeps the worker from working, or None; `observe` updates the gauges; `mount`
        adds what else is served."""
        super().__init__(**kwargs)
        self._settings = settings
        self._metrics = metrics
        self._problem = problem
        self._observe = observe
        self._mount = mount
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self._connections = Connections(Limits.of(settings), time.monotonic)
        self.port = settings.http_port

    async def on_start(self) -> None:
        application = web.Application(middlewares=[noted])
        application.router.add_get("/health", self._health)
        application.router.add_get("/metrics", self._get_metrics)
        if self._mount is not None:
            self._mount(application)
        self._runner = web.AppRunner(application, handler_cancellation=True)
        await self._runner.setup()
        if self._runner.server is None:
            raise RuntimeError("aiohttp has no server after its set-up")
        try:
            self._listening = await asyncio.get_running_loop().create_server(
                self._connections.factory(self._runner.server),
                self._settings.http_host,
                self._settings.http_port,
            )
        except OSError as error:
            raise ConfigurationError(
                f"cannot serve on {self._settings.http_host}:{self._settings.http_port} ({error.strerror}); "
                "set STREAMSEG_HTTP_PORT to a free port, or 0 for any"
            ) from error
        self.port = self._listening.sockets[0].getsockname()[1]
        _log.info("health and metrics on port %d", self.port)

    @Service.task
    async def _keep_deadlines(self) -> None:
        while not self.should_stop:
            self._connections.sweep()
            await self.sleep(SWEEP_SECONDS)

    async def on_stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        problem = self._problem()
        if problem is None:
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "stalled", "problem": problem}, status=503)

    async def _get_metrics(self, request: web.Request) -> web.Response:
        self._observe()
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})
