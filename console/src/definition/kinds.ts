/** The kinds of conditions. The key that a condition has gives its kind. */

import type {
  AttributeCondition,
  AttributeElementsCondition,
  Condition,
  ElementsCondition,
  EventCondition,
  OccurrenceCondition,
  SegmentCondition,
  SequenceCondition,
  SequenceStep,
  Step,
} from "./types";

export type Kind = "attribute" | "event" | "segment" | "sequence" | "sample";

export function isAttribute(one: Condition): one is AttributeCondition | AttributeElementsCondition {
  return "attribute" in one;
}

export function isAttributeElements(one: Condition): one is AttributeElementsCondition {
  return "attribute" in one && "elements" in one;
}

export function isEvent(one: Condition): one is EventCondition {
  return "event" in one;
}

export function isSegment(one: Condition): one is SegmentCondition {
  return "segment" in one;
}

export function isSequence(one: Condition): one is SequenceCondition {
  return "sequence" in one;
}

export function isElements(one: OccurrenceCondition): one is ElementsCondition {
  return "elements" in one;
}

export function isAbsent(step: Step): step is { absent: SequenceStep } {
  return "absent" in step;
}
