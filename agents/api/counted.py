"""Counts the requests to the API by the template of their address, which contains no ids."""

from __future__ import annotations

import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.metrics import Metrics

ENDLESS: Final = web.RequestKey("endless", bool)
"""The key under which a handler notes that its answer has no end, so that its time says nothing."""

_NONE = "none"
_GONE = "gone"


def counted(metrics: Metrics) -> Middleware:
    """Return a middleware that counts requests. It must be the first one, so that it sees the final
    answer."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        status = _GONE
        try:
            response = await handler(request)
            status = str(response.status)
            return response
        except web.HTTPException as answer:
            status = str(answer.status)
            raise
        except Exception:
            status = "500"
            raise
        finally:
            method, route = _template(request)
            metrics.api_requests.labels(method, route, status).inc()
            if ENDLESS not in request:
                metrics.api_seconds.labels(method, route).observe(time.perf_counter() - began)

    return count


def _template(request: web.Request) -> tuple[str, str]:
    """Return method and address of the route, with parameter names instead of values: the caller's text never
    becomes a label."""
    route = request.match_info.route
    if route.resource is None:
        return _NONE, _NONE
    return route.method, route.resource.canonical
