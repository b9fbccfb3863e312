"""Explanations with sentences added."""

from __future__ import annotations

from streamseg.catalogue.labels import Language
from streamseg.json_text import Json
from streamseg.wording import evidence_terms
from streamseg.wording.bodies import condition_words
from streamseg.wording.conditions import segment_name
from streamseg.wording.evidence import notes
from streamseg.wording.tokens import filled, word


def with_words(explanation: Json, language: Language) -> Json:
    """Return an explanation of `streamseg.engine.explain` with `words` for the whole and for each condition.
    Each condition also gets `notes` on its evidence."""
    parts = [
        {
            **part,
            "clusters": [
                {**cluster, "conditions": [_with_words(one, language) for one in cluster["conditions"]]}
                for cluster in part["clusters"]
            ],
        }
        for part in explanation["parts"]
    ]
    return {**explanation, "parts": parts, "words": membership_words(explanation, language)}


def _with_words(one: Json, language: Language) -> Json:
    return {"words": condition_text(one, language), "notes": notes(one, language), **one}


def condition_text(one: Json, language: Language) -> str | None:
    """Return the sentence of an explanation's condition; None if this release does not know the condition."""
    if one["condition"] is None:
        return evidence_terms.KEPT_BY_PRODUCT.of(language)
    return condition_words(one["condition"], language)


def membership_words(explanation: Json, language: Language) -> str:
    """Return whether the contact is in the segment, as a sentence."""
    label = evidence_terms.IS_MEMBER if explanation["member"] else evidence_terms.IS_NO_MEMBER
    return filled(
        label,
        language,
        contact=word(explanation["contact_id"], language),
        segment=segment_name(explanation["segment_id"], language),
    )
