"""The reason of a membership change, as a phrase."""

from __future__ import annotations

from streamseg.catalogue.labels import Language
from streamseg.wording import terms
from streamseg.wording.tokens import filled, word


def reason(kind: str, ref: str | None, language: Language) -> str:
    """Return a change's `reason`. A kind that this release does not know is written as it is."""
    label = terms.REASONS.get(kind)
    text = word(kind, language) if label is None else label.of(language)
    if ref is None:
        return text
    return filled(terms.REASON_OF, language, reason=text, ref=word(ref, language))
