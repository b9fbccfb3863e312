"""Lists that the HTTP API answers page by page: what they can be sorted by, and how long a page may be."""

from __future__ import annotations

from typing import Final, Literal, get_args

Sort = Literal["name", "created_by", "updated_at"]

SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
"""What the list of segments can be sorted by."""

DEFAULT_ROWS: Final = 50
"""Rows of a page where the caller does not say how many."""

MOST_ROWS: Final = 200
"""Segments of a page."""

MOST_CONTACTS: Final = 1_000
"""Contacts of a page."""
