"""Limits for connections to the worker's web server: their number and their time.

aiohttp limits neither: a request whose headers or body never end would keep its connection, and a file
descriptor, forever.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.typedefs import Handler

from agents.api.problems import ProblemError, language_of
from streamseg.settings import Settings

LONGEST_LINE: Final = 64 << 10
"""The longest first line of a request, in bytes. It has room for the longest segment id (1,000 characters of
4 bytes, each byte as `%xx`) and a contact id of four times the usual length."""
LONGEST_FIELD: Final = 8_190
"""The longest header, in bytes."""
SWEEP_SECONDS: Final = 0.5
"""The interval at which deadlines are checked, in s."""

_CLOSING_SECONDS: Final = 2.0
"""The time in which a closed connection may send its remaining data before it is aborted, in s."""


class Limits(NamedTuple):
    """The largest numbers of connections, and the longest times (s) that a caller may take.

    headers  from the connection, or from the first byte of a later request, to the end of the headers
    body     from there to the end of the body; also the longest time without reading more of an answer
    idle     between two requests
    """

    connections: int
    per_address: int
    headers: float
    body: float
    idle: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(
            settings.http_connections,
            settings.http_connections_per_address,
            settings.http_header_timeout_ms / 1000,
            settings.http_body_timeout_ms / 1000,
            settings.http_idle_timeout_ms / 1000,
        )


class Connections:
    """All open connections. `sweep` must be called regularly."""

    def __init__(self, limits: Limits, timer: Callable[[], float]) -> None:
        self.limits = limits
        self.timer = timer
        self._open: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def factory(self, server: web.Server) -> Callable[[], Connection]:
        """Return a function that makes the protocol of a new connection to an aiohttp server."""
        return lambda: Connection(self, server)

    def admit(self, connection: Connection) -> bool:
        """Return whether the connection is accepted. If there are too many, the connection that has waited
        longest for its caller is aborted to make room: one from the same address if that address has too
        many, else any."""
        same = [one for one in self._open if one.address == connection.address]
        if len(same) >= self.limits.per_address:
            crowd = same
        elif len(self._open) >= self.limits.connections:
            crowd = list(self._open)
        else:
            crowd = []
        if crowd:
            waiting = min((one for one in crowd if one.waits), key=lambda one: one.since, default=None)
            if waiting is None:
                return False
            waiting.cut_off()
            self.left(waiting)
        self._open[connection] = None
        return True

    def left(self, connection: Connection) -> None:
        self._open.pop(connection, None)

    def sweep(self) -> None:
        """Close the connections whose deadline has passed."""
        now = self.timer()
        for connection in list(self._open):
            connection.check(now)


class Connection(web.RequestHandler):
    """One connection.

    address  the caller's address; for IPv6 its network, since one caller has a whole network
    since    the start of the current wait for the caller, by the timer of `Connections`
    """

    __slots__ = ("_body", "_closing_since", "_connections", "_receiving", "_stuck_since", "address", "since")

    def __init__(self, connections: Connections, server: web.Server) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=connections.limits.idle,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_FIELD,
            access_log=None,  # type: ignore[arg-type]  # None is none
        )
        self._connections = connections
        self.address = ""
        self.since = connections.timer()
        # The body of the request that is being answered.
        self._body: StreamReader | None = None
        # Whether a byte of the next request has arrived. For the first request the time runs from the
        # connection.
        self._receiving = True
        self._stuck_since: float | None = None
        self._closing_since: float | None = None

    @property
    def waits(self) -> bool:
        """Whether there is no request to answer yet."""
        return self._body is None

    # -- called by the transport -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.address = _address(transport.get_extra_info("peername"))
        if self._connections.admit(self):
            super().connection_made(transport)
        elif isinstance(transport, asyncio.WriteTransport):
            transport.write(_farewell(HTTPStatus.SERVICE_UNAVAILABLE, "Retry-After: 1"))
            transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport is None:
            return
        # aiohttp also calls this without data, to continue with the data that it has.
        if data and self._body is None and not self._receiving:
            self._receiving = True
            self.since = self._connections.timer()
        super().data_received(data)

    def pause_writing(self) -> None:
        self._stuck_since = self._connections.timer()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = None
        super().resume_writing()

    # -- called by the application ---------------------------------------------------------------------------

    def began(self, body: StreamReader) -> None:
        """Note that a request's headers are complete."""
        self._body = body
        self.since = self._connections.timer()

    def ended(self) -> None:
        """Note that the request was answered."""
        self._body = None
        self._receiving = False
        self.since = self._connections.timer()

    # -- deadlines -----------------------------------------------------------------------------------------

    def check(self, now: float) -> None:
        """Close the connection if its deadline has passed, and abort it if closing takes too long."""
        if self._closing_since is not None:
            if now - self._closing_since >= _CLOSING_SECONDS:
                self.cut_off()
            return
        limits = self._connections.limits
        if self._stuck_since is not None:
            if now - self._stuck_since >= limits.body:
                self.cut_off()
        elif self._body is not None:
            if not self._body.is_eof() and now - self.since >= limits.body:
                self._part(now)
        elif now - self.since >= (limits.headers if self._receiving else limits.idle):
            self._part(now)

    def _part(self, now: float) -> None:
        self._closing_since = now
        if self.transport is not None and not self.transport.is_closing():
            if self._receiving or self._body is not None:
                self.transport.write(_farewell(HTTPStatus.REQUEST_TIMEOUT))
            self.transport.close()

    def cut_off(self) -> None:
        """Abort the connection without an answer."""
        if self.transport is not None:
            self.transport.abort()

    # -- input that is not HTTP ------------------------------------------------------------------------------

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer input that aiohttp cannot parse with a problem, without logging it, since it may contain
        anything."""
        if status != HTTPStatus.BAD_REQUEST or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        response = _unreadable(exc).response(language_of(request))
        response.force_close()
        return response


@web.middleware
async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the connection when a request begins and ends. This must be the application's outermost
    middleware."""
    connection: Any = request.protocol
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.began(request.content)
    try:
        return await handler(request)
    finally:
        connection.ended()


def _unreadable(error: BaseException | None) -> ProblemError:
    if isinstance(error, LineTooLong):
        if LONGEST_LINE in error.args:
            return ProblemError("uri_too_long", f"the address is longer than {LONGEST_LINE} bytes")
        return ProblemError("header_too_large", f"a header is longer than {LONGEST_FIELD} bytes")
    return ProblemError("bad_request", "not valid HTTP/1.1 (RFC 9112)")


def _farewell(status: HTTPStatus, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *headers, "Content-Length: 0", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()


def _address(peer: Any) -> str:
    try:
        address = ipaddress.ip_address(peer[0].partition("%")[0])
    except (TypeError, ValueError, IndexError, AttributeError):
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
