/** A browser's numbers are exact up to 2^53. Longer ones are kept as they are written, to be shown; they cannot be
 * edited. */

/** Not in the types of TypeScript yet. Browsers without it round long numbers. */
const NATIVE = JSON as typeof JSON & { rawJSON?: (text: string) => unknown };

/** A whole number that the browser cannot represent. JSON.stringify writes all its digits. */
export class LongNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): unknown {
    return NATIVE.rawJSON?.(this.text) ?? Number(this.text);
  }
}

/** Reads JSON; a number that would lose digits becomes a LongNumber. Throws SyntaxError. */
export function readJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    const isLong = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
    return isLong && context?.source ? new LongNumber(context.source) : value;
  });
}

/** Returns whether a value contains a number that the form cannot represent. */
export function hasLongNumber(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  if (value === null || typeof value !== "object") return false;
  return value instanceof LongNumber || Object.values(value).some(hasLongNumber);
}
