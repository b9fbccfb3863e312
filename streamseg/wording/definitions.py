"""Clusters, parts and whole definitions as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.definitions import Cluster, Part, SegmentDefinition
from streamseg.catalogue.labels import Language
from streamseg.wording import terms
from streamseg.wording.conditions import condition
from streamseg.wording.tokens import bracketed, filled, joined, word, zone


def definition(one: SegmentDefinition, language: Language) -> str:
    """Who belongs to a segment: what its type, clusters, parts and time zone say, in one line."""
    return terms.LINE_END.of(language).join(definition_lines(one, language))


def definition_lines(one: SegmentDefinition, language: Language) -> list[str]:
    """The same in lines: one for a standard definition, one for each part of an advanced one, and one for
    the time zone where there is one."""
    if one.parts is not None:
        lines = [part(each, language) for each in one.parts]
    elif one.clusters is not None:
        lines = [clusters(one.clusters, language)]
    else:
        lines = [terms.STATIC.of(language)]
    if one.timezone is not None:
        lines.append(filled(terms.TIME_ZONE, language, zone=zone(one.timezone, language)))
    return lines


def part(one: Part, language: Language) -> str:
    """A part of an advanced segment with its relation and name."""
    relation = terms.RELATIONS[one.relation].of(language)
    told = clusters(one.clusters, language)
    if one.name is None:
        return filled(terms.PART_UNNAMED, language, relation=relation, clusters=told)
    return filled(terms.PART, language, relation=relation, name=word(one.name, language), clusters=told)


def clusters(several: Sequence[Cluster], language: Language) -> str:
    """Clusters joined by AND; each of several stands in brackets."""
    if len(several) == 1:
        return cluster(several[0], language)
    return joined([bracketed(cluster(one, language), language) for one in several], True, language)


def cluster(one: Cluster, language: Language) -> str:
    """The conditions of a cluster (条件簇) joined by 且 or 或."""
    return joined([condition(each, language) for each in one.conditions], one.match == "all", language)
