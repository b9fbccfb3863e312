"""What the builder begins with: ten recipes of the cookbook. `python -m tests.docs.recipes` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.docs.pages import below

FILE: Final = Path(__file__).parents[2] / "console" / "src" / "builder" / "recipes.json"

CHOSEN: Final = (
    "no-purchase-90d",
    "lapsed-customers",
    "first-purchase-last-month",
    "spent-1000-in-30d",
    "birthday-next-week",
    "over-18",
    "three-clicks-an-hour",
    "abandoned-form",
    "vip-for-a-week",
    "cn-members",
)


def recipes() -> list[dict[str, Any]]:
    """The chosen recipes, with their titles in English; the name in a definition is Chinese."""
    found = {}
    for section in below("segment-language.md", "Cookbook")[1:]:
        for definition in section.json:
            segment_id = definition.pop("segment_id")
            found[segment_id] = {"id": segment_id, "title": section.title, "definition": definition}
    return [found[segment_id] for segment_id in CHOSEN]


if __name__ == "__main__":
    FILE.write_text(json.dumps(recipes(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
