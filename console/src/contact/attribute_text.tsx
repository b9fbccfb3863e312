import { Instant } from "../language/times";

/** Times arrive as text or as milliseconds; the name says whether a number is one. */
const TIME = /(_at|_since|_day)$/;
const LEAST_MS = 100_000_000_000;

export function attributeText(name: string, value: unknown) {
  if (TIME.test(name) && typeof value === "number" && value > LEAST_MS) return <Instant at={value} />;
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}
