/** A browser's numbers are exact up to 2^53. A longer one lost digits when it was read, so it must not be saved. */

/** Returns whether a value contains a number that may have lost digits. */
export function hasLongNumber(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(hasLongNumber);
}
