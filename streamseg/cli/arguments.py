"""Arguments that several commands take, and their completion in shells."""

from __future__ import annotations

from typing import Annotated, Any, Final

import httpx
import typer

from schemas.pages import MOST_ROWS
from streamseg.cli.client import DEFAULT_URL, Api
from streamseg.errors import StreamsegError

_COMPLETION_SECONDS: Final = 1.0
"""The longest wait for completions. The shell is blocked meanwhile, so none are better than late ones."""


def _complete_segment(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    options: dict[str, Any] = ctx.params
    try:
        with Api(
            options.get("url") or DEFAULT_URL,
            token=options.get("token"),
            account=options.get("account"),
            timeout_seconds=_COMPLETION_SECONDS,
            transport=ctx.find_object(httpx.BaseTransport),
        ) as api:
            rows = api.get("segments", limit=MOST_ROWS)["rows"]
    except (StreamsegError, KeyError, TypeError):
        return []
    return [(row["segment_id"], row["name"]) for row in rows if row["segment_id"].startswith(incomplete)]


SegmentId = Annotated[
    str, typer.Argument(metavar="SEGMENT", help="The segment's id.", autocompletion=_complete_segment)
]
MaybeSegmentId = Annotated[
    str | None,
    typer.Argument(
        metavar="[SEGMENT]", help="Only this segment, by its id.", autocompletion=_complete_segment
    ),
]
SegmentIds = Annotated[
    list[str],
    typer.Argument(
        metavar="SEGMENT...", help="The ids of one or more segments.", autocompletion=_complete_segment
    ),
]
DefinitionFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A definition in YAML or JSON; - reads standard input.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
