/** ISO 8601 durations of one unit, with a sign, as the form shows them. */

export type DurationUnit = "week" | "day" | "hour" | "minute" | "second";

export interface Length {
  /** Negative: before now. */
  amount: number;
  unit: DurationUnit;
}

const LETTERS: Record<string, DurationUnit> = {
  PW: "week",
  PD: "day",
  PTH: "hour",
  PTM: "minute",
  PTS: "second",
};
const WRITTEN: Record<DurationUnit, [string, string]> = {
  week: ["P", "W"],
  day: ["P", "D"],
  hour: ["PT", "H"],
  minute: ["PT", "M"],
  second: ["PT", "S"],
};

/** Returns the length of a duration with one unit; undefined for others, which are shown as text. */
export function readDuration(text: string): Length | undefined {
  const match = /^(-?)(PT?)(\d{1,9})([WDHMS])$/.exec(text);
  if (!match) return undefined;
  const [, sign, begin, digits, letter] = match;
  const unit = LETTERS[`${begin}${letter}`];
  if (unit === undefined) return undefined;
  const length = { amount: Number(`${sign}${digits}`), unit };
  // Another spelling, such as P07D, would not be written back as it was.
  return writeDuration(length) === text ? length : undefined;
}

export function writeDuration({ amount, unit }: Length): string {
  const [begin, letter] = WRITTEN[unit];
  return `${amount < 0 ? "-" : ""}${begin}${Math.abs(amount)}${letter}`;
}
