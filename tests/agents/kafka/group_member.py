"""What an assignor needs of the app to which it belongs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from yarl import URL


def member_app(name: str) -> Any:
    """Return what stands in for the app of the worker with this host name."""
    return SimpleNamespace(
        conf=SimpleNamespace(canonical_url=URL(f"http://{name}")),
        tables=SimpleNamespace(data={}, changelog_topics=set()),
        sensors=SimpleNamespace(
            on_assignment_start=lambda _: None,
            on_assignment_completed=lambda *_: None,
            on_assignment_error=lambda *_: None,
        ),
        tracer=None,
    )
