/** Segment definitions; docs/segment-language.md describes them. The form's state is a value of these types. */

export type Match = "all" | "any";

/** A test of a value. `value` has the shape that the operator takes. */
export interface Test {
  operator: string;
  value?: unknown;
  ignore_case?: boolean;
  normalize?: boolean;
  as?: "number";
  not?: boolean;
}

export interface PropertyCondition extends Test {
  property: string;
}

export interface ElementsCondition {
  elements: string;
  match: Match;
  conditions: OccurrenceCondition[];
  not?: boolean;
}

export type OccurrenceCondition = PropertyCondition | ElementsCondition;

export interface Where {
  match: Match;
  conditions: OccurrenceCondition[];
}

export interface Held {
  at_least?: string;
  less_than?: string;
}

export interface AttributeCondition extends Test {
  attribute: string;
  held?: Held;
}

export interface AttributeElementsCondition {
  attribute: string;
  elements: Where;
  held?: Held;
  not?: boolean;
}

export interface Period {
  unit: string;
  from: number;
  to: number;
  week_start?: number;
}

export type Window =
  | { last: string }
  | { between: [string | number | null, string | number | null] }
  | { from: string; to: string }
  | { period: Period };

export interface Count {
  operator: string;
  value: number;
}

export interface Aggregate {
  function: "sum" | "avg" | "min" | "max" | "distinct";
  property: string;
  elements?: string;
  where?: Where;
  as?: "number";
  operator: string;
  value: unknown;
}

export interface EventCondition {
  event: string;
  where?: Where;
  count?: Count;
  window?: Window;
  select?: "any" | "first" | "last";
  has?: Where;
  aggregate?: Aggregate;
  not?: boolean;
}

export interface SegmentCondition {
  segment: string;
  member?: boolean;
  not?: boolean;
}

export interface SequenceStep {
  event: string;
  where?: Where;
}

export type Step = SequenceStep | { absent: SequenceStep };

export interface SequenceCondition {
  sequence: Step[];
  within: string;
  step_within?: string;
  window?: Window;
  not?: boolean;
}

export interface SampleCondition {
  sample: number;
  salt?: string;
  not?: boolean;
}

export type Condition =
  | AttributeCondition
  | AttributeElementsCondition
  | EventCondition
  | SegmentCondition
  | SequenceCondition
  | SampleCondition;

export interface Cluster {
  match: Match;
  conditions: Condition[];
}

export interface Part {
  name?: string;
  relation: "include" | "exclude";
  clusters: Cluster[];
}

export interface Definition {
  segment_id?: string;
  name: string;
  type: "standard" | "advanced" | "static";
  clusters?: Cluster[];
  parts?: Part[];
  timezone?: string;
  group?: string;
  version?: number;
  created_by?: string;
  created_at?: string | number;
  updated_by?: string;
  updated_at?: string | number;
  shared_with?: string[];
}
