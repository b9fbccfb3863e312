/** What would let a contact enter or leave a segment, read from the explanation. */

import type { ExplainedCluster, ExplainedCondition, Explanation } from "../api/contacts";

export interface Step {
  /** `all`: every one of the conditions is needed; `any`: one of them is enough. */
  match: "all" | "any";
  /** The conditions as they are now, and whether each must come to hold or cease to. */
  conditions: ExplainedCondition[];
  must: "hold" | "cease";
}

/** One way: all its steps together change the membership. */
export interface Way {
  /** The name of the part, if the segment has several. */
  part: string | null;
  steps: Step[];
}

/** Returns the ways in which the membership changes. For those who are not in the segment, a way names all that is
 * missing; for those who are, each way is enough by itself. */
export function waysToChange({ member, parts }: Explanation): Way[] {
  const excluding = parts.filter((part) => part.relation === "exclude");
  const including = parts.filter((part) => part.relation === "include");
  if (!member) {
    const blocked = excluding
      .filter((part) => part.holds)
      .map((part) => ({ part, step: ending(part.clusters) }));
    const ends = blocked.map(({ step }) => step);
    // If an including part holds already, only the excluding ones are in the way.
    if (including.some((part) => part.holds)) return ends.length > 0 ? [{ part: null, steps: ends }] : [];
    return including.map((part) => ({
      part: part.name,
      steps: [...part.clusters.filter((one) => !one.holds).map(missing), ...ends],
    }));
  }
  const holding = including.filter((part) => part.holds);
  const only = holding.length === 1 ? holding[0] : undefined;
  const leaving = only ? [{ part: only.name, steps: [ending(only.clusters)] }] : [];
  const caught = excluding.map((part) => ({
    part: part.name,
    steps: part.clusters.filter((one) => !one.holds).map(missing),
  }));
  return [...leaving, ...caught].filter((way) => way.steps.some((step) => step.conditions.length > 0));
}

function missing(cluster: ExplainedCluster): Step {
  return { match: cluster.match, conditions: cluster.conditions.filter((one) => !one.holds), must: "hold" };
}

/** Returns the conditions of which each, if it ceases to hold, ends all clusters together: those of a cluster that
 * needs all, and one that alone fulfils a cluster that needs any. */
function ending(clusters: ExplainedCluster[]): Step {
  const conditions = clusters.flatMap((cluster) => {
    const holding = cluster.conditions.filter((one) => one.holds);
    return cluster.match === "all" || holding.length === 1 ? holding : [];
  });
  return { match: "any", conditions, must: "cease" };
}
