"""Lists that the HTTP API returns in pages: their sort orders and the lengths of their pages."""

from __future__ import annotations

from typing import Final, Literal, get_args

Sort = Literal["name", "type", "status", "contacts", "created_by", "created_at", "updated_by", "updated_at"]

SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
"""The sort orders of the list of segments."""

DEFAULT_ROWS: Final = 50
"""The number of rows on a page if the caller gives none."""

MOST_ROWS: Final = 200
"""The largest number of segments on a page."""

MOST_CONTACTS: Final = 1_000
"""The largest number of contacts on a page."""
