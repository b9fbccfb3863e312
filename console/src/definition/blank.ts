/** What is added to a definition before the user fills it in. */

import type { Kind } from "./kinds";
import type { Cluster, Condition, Definition, Part, PropertyCondition, Step, Where } from "./types";

export function blankCondition(kind: Kind): Condition {
  if (kind === "attribute") return { attribute: "", operator: "eq", value: "" };
  if (kind === "event") return { event: "" };
  if (kind === "segment") return { segment: "" };
  if (kind === "sequence") return { sequence: [blankStep(), blankStep()], within: "P1D" };
  return { sample: 0.1 };
}

export function blankStep(): Step {
  return { event: "" };
}

export function blankProperty(): PropertyCondition {
  return { property: "", operator: "eq", value: "" };
}

export function blankWhere(): Where {
  return { match: "all", conditions: [blankProperty()] };
}

export function blankCluster(kind: Kind): Cluster {
  return { match: "all", conditions: [blankCondition(kind)] };
}

export function blankPart(): Part {
  return { relation: "include", clusters: [] };
}

export function blankDefinition(type: "standard" | "advanced"): Definition {
  return type === "standard" ? { name: "", type, clusters: [] } : { name: "", type, parts: [blankPart()] };
}

/** The fields that the catalogue adds; a change does not send them. */
const CATALOGUE_FIELDS = [
  "version",
  "created_by",
  "created_at",
  "updated_by",
  "updated_at",
  "shared_with",
] as const;

/** Returns the part of a stored definition that the form edits. */
export function editable(stored: Definition): Definition {
  const rest: Partial<Definition> = { ...stored };
  for (const field of CATALOGUE_FIELDS) delete rest[field];
  return rest as Definition;
}

/** Returns whether something that was added still waits to be filled in. */
export function isIncomplete(definition: Definition): boolean {
  const clusters = definition.clusters ?? definition.parts?.flatMap((part) => part.clusters) ?? [];
  const hasNone =
    definition.type === "standard"
      ? clusters.length === 0
      : (definition.parts ?? []).some((part) => part.clusters.length === 0);
  return hasNone || clusters.some((cluster) => hasBlank(cluster));
}

const NAMES = ["attribute", "event", "segment"];

/** `names` are the fields whose text must not be empty. */
function hasBlank(value: unknown, names = [...NAMES, "property"]): boolean {
  if (Array.isArray(value)) return value.some((entry) => hasBlank(entry, names));
  if (value === null || typeof value !== "object") return false;
  // Within a list, an empty property is the element itself.
  const asked = "elements" in value ? NAMES : names;
  return Object.entries(value).some(([key, inner]) =>
    typeof inner === "string" ? inner === "" && asked.includes(key) : hasBlank(inner, asked),
  );
}
