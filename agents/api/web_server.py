"""The worker's own web server: `/health` and `/ready` for probes, `/metrics` for Prometheus, and the mounted
API."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from mode import Service

from agents.api.http_connections import SWEEP_SECONDS, Connections, Limits, noted
from agents.api.tls import server_context
from agents.metrics import CONTENT_TYPE, Metrics
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

_BACKLOG = 100


class Listener:
    """The open port. It stays open when one app follows another, so callers that connect in between only wait
    a moment."""

    def __init__(self, settings: Settings) -> None:
        self._host, self.port = settings.http_host, settings.http_port
        self._sockets: list[socket.socket] = []

    def open(self) -> None:
        """Open the port; do nothing if it is open already. Raises ConfigurationError if the port cannot be
        opened."""
        if self._sockets:
            return
        try:
            for family, kind, protocol, _, address in socket.getaddrinfo(
                self._host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                opened = socket.socket(family, kind, protocol)
                self._sockets.append(opened)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                # With port 0, each address family must get the same port.
                opened.bind((address[0], self.port, *address[2:]))
                opened.listen(_BACKLOG)
                self.port = opened.getsockname()[1]
        except OSError as error:
            self.close()
            raise ConfigurationError(
                f"cannot serve on {self._host}:{self.port} ({error.strerror}); "
                "set STREAMSEG_HTTP_PORT to a free port, or 0 for any"
            ) from error

    def sockets(self) -> list[socket.socket]:
        """Return duplicates of the open sockets; the user listens on them and closes them."""
        return [opened.dup() for opened in self._sockets]

    def close(self) -> None:
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()


class WebServer(Service):
    """Serves from before the recovery until after the last checkpoint.

    `/ready` answers 200 while the worker works on everything that was assigned to it, else 503 with the
    reasons. A rolling restart waits for it before the next worker, and so does a load balancer before it
    sends callers.

    `/health` answers 200 while the worker makes progress of any kind. It answers 503 with the reason after
    `stall_timeout_ms` without progress: a liveness probe may then restart the worker.
    """

    mundane_level = "debug"

    def __init__(
        self,
        *,
        settings: Settings,
        metrics: Metrics,
        problem: Callable[[], str | None],
        observe: Callable[[], None],
        not_ready: Callable[[], list[str]],
        listener: Listener | None = None,
        mount: Callable[[web.Application], None] | None = None,
        **kwargs: Any,
    ) -> None:
        """`problem` returns the reason why the worker does not work, or None. `not_ready` returns the reasons
        why it is not ready. `observe` updates the gauges. `mount` adds more routes. A given `listener` stays
        open at the end. Raises ConfigurationError if the certificate cannot be used."""
        super().__init__(**kwargs)
        self._settings = settings
        self._metrics = metrics
        self._problem = problem
        self._observe = observe
        self._not_ready = not_ready
        self._listener = Listener(settings) if listener is None else listener
        self._closes = listener is None
        self._mount = mount
        self._runner: web.AppRunner | None = None
        self._listening: list[asyncio.Server] = []
        self._context = server_context(settings)
        self._connections = Connections(Limits.of(settings), time.monotonic)
        self.port = settings.http_port

    async def on_start(self) -> None:
        application = web.Application(middlewares=[noted])
        application.router.add_get("/health", self._health)
        application.router.add_get("/ready", self._ready)
        application.router.add_get("/metrics", self._get_metrics)
        if self._mount is not None:
            self._mount(application)
        self._runner = web.AppRunner(application, handler_cancellation=True)
        await self._runner.setup()
        if self._runner.server is None:
            raise RuntimeError("aiohttp has no server after its set-up")
        self._listener.open()
        self.port = self._listener.port
        encryption: dict[str, Any] = {}
        if self._context is not None:
            encryption = {
                "ssl": self._context,
                "ssl_handshake_timeout": self._settings.http_header_timeout_ms / 1000,
            }
        connections = self._connections.factory(self._runner.server)
        for opened in self._listener.sockets():
            self._listening.append(
                await asyncio.get_running_loop().create_server(connections, sock=opened, **encryption)
            )
        _log.info("health and metrics on port %d", self.port)

    @Service.task
    async def _keep_deadlines(self) -> None:
        while not self.should_stop:
            self._connections.sweep()
            await self.sleep(SWEEP_SECONDS)

    async def on_stop(self) -> None:
        for server in self._listening:
            server.close()
        if self._closes:
            self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        problem = self._problem()
        if problem is None:
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "stalled", "problem": problem}, status=503)

    async def _ready(self, request: web.Request) -> web.Response:
        reasons = self._not_ready()
        if not reasons:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "not ready", "reasons": reasons}, status=503)

    async def _get_metrics(self, request: web.Request) -> web.Response:
        self._observe()
        self._not_ready()
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})
