import { Instant } from "../language/times";

/** The value of an attribute; milliseconds are shown as a time if the attribute has times. */
export function attributeText(type: string | null | undefined, value: unknown) {
  if (type === "time" && typeof value === "number") return <Instant at={value} />;
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}
