/** A number that lost digits when it was read is found anywhere in a definition. */

import { expect, test } from "vitest";
import { hasLongNumber, readJson } from "../src/definition/long_numbers";

function definition(value: string): unknown {
  return JSON.parse(
    `{"clusters": [{"conditions": [{"attribute": "a", "operator": "in", "value": ["x", ${value}]}]}]}`,
  );
}

test.each(["9007199254740992", "9007199254740993", "-9007199254740993", "1e300"])(
  "%s is too long",
  (value) => {
    expect(hasLongNumber(definition(value))).toBe(true);
  },
);

test.each(["9007199254740991", "-9007199254740991", "0.1", '"9007199254740993"', "null", "true"])(
  "%s is kept",
  (value) => {
    expect(hasLongNumber(definition(value))).toBe(false);
  },
);

test.each(["9007199254740993", "-9007199254740993", "123456789012345678901234567890", "1e300"])(
  "%s is shown with all its digits",
  (value) => {
    const text = `{"a":[${value},{"b":${value}}]}`;
    expect(JSON.stringify(readJson(text))).toBe(text);
    expect(hasLongNumber(readJson(text))).toBe(true);
  },
);

test.each(["9007199254740991", "0.1", '"9007199254740993"', "null", "true", "1.5e3"])(
  "%s is read as ever",
  (value) => {
    expect(readJson(value)).toEqual(JSON.parse(value));
  },
);
