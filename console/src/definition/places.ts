/** The paths of a definition's places, as the API writes them: `clusters[0].conditions[1].value`. */

/** Returns a problem's path without the name of the body's field that holds the definition. */
export function withinDefinition(path: string): string {
  return path.replace(/^definition\.?/, "");
}

/** Returns whether a problem belongs to a place and not to a condition inside it. */
export function belongsTo(problemPath: string, place: string): boolean {
  if (problemPath !== place && !/^[.[]/.test(problemPath.slice(place.length))) return false;
  if (!problemPath.startsWith(place)) return false;
  return !/\.(conditions|sequence)\[/.test(problemPath.slice(place.length));
}
