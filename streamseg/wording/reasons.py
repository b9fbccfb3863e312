"""Why a membership changed, as a phrase."""

from __future__ import annotations

from streamseg.catalogue.labels import Language
from streamseg.wording import terms
from streamseg.wording.tokens import filled, word


def reason(kind: str, ref: str | None, language: Language) -> str:
    """A change's `reason`; a kind of another release as it is written."""
    label = terms.REASONS.get(kind)
    told = word(kind, language) if label is None else label.of(language)
    if ref is None:
        return told
    return filled(terms.REASON_OF, language, reason=told, ref=word(ref, language))
