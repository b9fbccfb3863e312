/** Whether a text has the shape that the form can show. Values are not checked: the API does that. */

import type { Definition } from "./types";

type Shape = (value: unknown) => boolean;
type Fields = { [name: string]: unknown };

function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

const isText: Shape = (value) => typeof value === "string";

function every(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(shape);
}

function optional(shape: Shape): Shape {
  return (value) => value === undefined || shape(value);
}

function object(fields: Record<string, Shape>): Shape {
  return (value) => isObject(value) && Object.entries(fields).every(([name, shape]) => shape(value[name]));
}

const pair: Shape = (value) => Array.isArray(value) && value.length === 2;
const period: Shape = object({ unit: isText });

/** The operands that the form takes apart. */
const OPERANDS: [RegExp, Shape][] = [
  [/^(not_)?(in_period)$/, period],
  [/^(not_)?(calendar)$/, object({ unit: isText, values: Array.isArray })],
  [/^(not_)?(anniversary)$/, object({ in_next: isText })],
  [/^(not_)?(between|relative_between|age_between)$/, pair],
  [/^(not_)?(in|contains_any)$|^contains_(all|none)$/, Array.isArray],
  [/^(not_)?(within_last|within_next)$/, isText],
];

const test: Shape = (value) => {
  if (!isObject(value) || !isText(value.operator)) return false;
  const operand = OPERANDS.find(([names]) => names.test(String(value.operator)))?.[1];
  return operand === undefined || operand(value.value);
};

const occurrence: Shape = (value) =>
  isObject(value) &&
  ("elements" in value ? isText(value.elements) && group(value) : isText(value.property) && test(value));

const group: Shape = object({ match: isText, conditions: every(occurrence) });

const window: Shape = (value) =>
  isObject(value) &&
  (isText(value.last) ||
    pair(value.between) ||
    (isText(value.from) && isText(value.to)) ||
    period(value.period));

const aggregate: Shape = (value) =>
  object({ function: isText, property: isText, elements: optional(isText), where: optional(group) })(value) &&
  test(value);

const event: Shape = object({
  event: isText,
  where: optional(group),
  has: optional(group),
  window: optional(window),
  aggregate: optional(aggregate),
  count: optional(object({ operator: isText })),
});

const step: Shape = (value) => isObject(value) && ("absent" in value ? event(value.absent) : event(value));

const condition: Shape = (value) => {
  if (!isObject(value)) return false;
  if ("attribute" in value) {
    const held = optional(isObject)(value.held);
    return isText(value.attribute) && held && ("elements" in value ? group(value.elements) : test(value));
  }
  if ("event" in value) return event(value);
  if ("segment" in value) return isText(value.segment);
  if ("sequence" in value) {
    return every(step)(value.sequence) && isText(value.within) && optional(window)(value.window);
  }
  return typeof value.sample === "number";
};

const clusters = every(object({ match: isText, conditions: every(condition) }));

export function hasShape(value: unknown): value is Definition {
  return (
    isObject(value) &&
    (value.type === "standard"
      ? clusters(value.clusters)
      : value.type === "advanced" && every(object({ relation: isText, clusters }))(value.parts)) &&
    optional(isText)(value.name)
  );
}
