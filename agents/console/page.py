"""Serves the built page: one HTML document for every address of the console, and its files."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web

from streamseg.settings import Settings

_log = logging.getLogger(__name__)

BASE: Final = "/console"
BUILT: Final = Path(__file__).parent / "static"
"""The folder that `npm run build` in console/ writes; git ignores it, and the wheel contains it."""

_NONCE: Final = "__STYLE_NONCE__"
"""The text in index.html that is replaced in every answer."""
_YEAR_S: Final = 365 * 24 * 60 * 60


class ConsolePage:
    """The routes below /console, and the way there from /.

    The page itself holds no data: what it shows, it asks of the API. So it needs no token.
    """

    def __init__(self, settings: Settings, built: Path = BUILT) -> None:
        self._built = built
        self._wanted = settings.console
        index = built / "index.html"
        self._index = index.read_text(encoding="utf-8") if index.is_file() else None

    @property
    def served(self) -> bool:
        """Whether this worker serves the page: it is built, and the settings do not remove it."""
        return self._wanted and self._index is not None

    def mount(self, application: web.Application) -> None:
        """Add the console to the worker's web server. Adds nothing if it is not served."""
        if self._wanted and self._index is None:
            _log.warning("the console is not built, so this worker does not serve it; see docs/console.md")
        if not self.served:
            return
        console = web.Application()
        console.on_response_prepare.append(_unchanging)
        console.router.add_static("/assets", self._built / "assets")
        console.router.add_get("/{address:.*}", self._document)
        application.router.add_get("/", _to_the_console)
        application.router.add_get(BASE, _to_the_console)
        application.add_subapp(BASE, console)

    async def _document(self, request: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(18)
        headers = {
            "Content-Security-Policy": _policy(nonce),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            # Addresses of the console have ids of contacts in them.
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(
            text=(self._index or "").replace(_NONCE, nonce), content_type="text/html", headers=headers
        )


async def _to_the_console(_: web.Request) -> web.Response:
    raise web.HTTPFound(f"{BASE}/")


async def _unchanging(_: web.Request, answered: web.StreamResponse) -> None:
    """Let browsers keep the files, whose names change with their content."""
    if isinstance(answered, web.FileResponse) and answered.status < HTTPStatus.BAD_REQUEST:
        answered.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        answered.headers["X-Content-Type-Options"] = "nosniff"


def _policy(nonce: str) -> str:
    """Return the Content-Security-Policy: nothing from elsewhere, and no inline script."""
    return "; ".join(
        (
            "default-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
