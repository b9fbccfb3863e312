"""The host names under which a worker may be asked, and the origins whose pages may ask it.

A browser that runs a stranger's page reaches everything that its machine reaches. Without tokens, that is
enough for access. So a request must name this worker by one of its own names: a page that uses DNS rebinding
sends a name of its own. A page of the worker's own origin may ask. A page of another origin may not, since
the browser would send its request even if it hides the answer from the page.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.api.auth import OPEN_PATHS, is_loopback
from agents.api.problems import ProblemError
from streamseg.settings import Settings

_PORTS: Final = {"http": 80, "https": 443}
_OWN_SITES: Final = ("same-origin", "none")
"""The values of `Sec-Fetch-Site` for a page of the same origin and for a request that the user made by
hand."""


class Place(NamedTuple):
    """The target of a request or the origin of a page, in lower case, without a trailing dot."""

    host: str
    port: int | None

    @classmethod
    def of(cls, authority: str, scheme: str = "") -> Place | None:
        """Return the place of a `Host` header, or of an origin without its scheme; None if the text is
        invalid."""
        try:
            parts = urlsplit(f"//{authority}")
            port = parts.port
        except ValueError:
            return None
        if not parts.hostname or parts.netloc != authority or parts.username is not None:
            return None
        return cls(parts.hostname.rstrip("."), port if port is not None else _PORTS.get(scheme))


def own_pages_only(settings: Settings, *, tokens: bool) -> Middleware:
    """Return a middleware that refuses requests under names that are not the worker's, and requests from
    pages of other origins.

    With `tokens`, names are checked only if some are configured: under a name that is not the worker's, a
    browser sends neither a token nor the cookie of a page that has signed in.
    """
    advertised = urlsplit(settings.advertised_url or "")
    names = {
        name.lower().rstrip(".") for name in (*settings.allowed_hosts, advertised.hostname or "") if name
    }
    origins = {origin.lower().rstrip("/") for origin in settings.allowed_origins}
    if advertised.netloc:
        origins.add(f"{advertised.scheme}://{advertised.netloc}".lower())
    checks_names = not tokens or bool(settings.allowed_hosts)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS:
            hosts = request.headers.getall("Host", [])
            if checks_names and not (len(hosts) == 1 and _is_own_name(hosts[0], names)):
                raise ProblemError(
                    "not_permitted",
                    "not a name of this worker; add it to STREAMSEG_ALLOWED_HOSTS if it is one",
                    "Host",
                )
            _check_page(request, hosts, origins)
        return await handler(request)

    return check


def _is_own_name(authority: str, names: set[str]) -> bool:
    place = Place.of(authority)
    return place is not None and (place.host in names or place.host == "localhost" or is_loopback(place.host))


def _check_page(request: web.Request, hosts: list[str], origins: set[str]) -> None:
    given = request.headers.getall("Origin", [])
    if len(given) == 1 and given[0].lower() in origins:
        return
    if given and not (len(given) == len(hosts) == 1 and _is_same(given[0], hosts[0])):
        raise ProblemError(
            "not_permitted",
            "pages of another origin are not served; add it to STREAMSEG_ALLOWED_ORIGINS if it is yours",
            "Origin",
        )
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN_SITES:
        raise ProblemError("not_permitted", "pages of another origin are not served", "Sec-Fetch-Site")


def _is_same(origin: str, authority: str) -> bool:
    scheme, separator, rest = origin.lower().partition("://")
    if not separator or scheme not in _PORTS:
        return False
    # A proxy may have removed the encryption, so the port is taken by the page's scheme.
    page = Place.of(rest, scheme)
    return page is not None and page == Place.of(authority.lower(), scheme)
