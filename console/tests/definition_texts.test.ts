import { expect, test } from "vitest";
import { parse } from "yaml";
import { curlText, yamlText } from "../src/definition/texts";
import type { Definition } from "../src/definition/types";
import { DEFINITIONS, leave } from "./corpus";

test("a definition is the same after it was written as YAML and read again", () => {
  const texts = DEFINITIONS.map(yamlText);
  expect(texts.map((text) => parse(text))).toEqual(DEFINITIONS);
  leave("texts.json", { definitions: DEFINITIONS, texts });
});

test("the file has only characters that every reader of YAML takes in the same way", () => {
  for (const name of [
    "<<",
    "a\tb",
    "a\u2028b",
    "\u0085",
    "\u007f",
    "\ufeffx",
    "\ud800",
    "\uffff",
    "\u{e0001}",
    "a\nb",
  ]) {
    const text = yamlText({ name, type: "standard", clusters: [] });
    expect(text).toMatch(/^name: "[\x20-\x7e]+"\ntype: standard\nclusters: \[\]\n$/);
    expect((parse(text) as Definition).name).toBe(name);
  }
  expect(yamlText({ name: "买家 😀 é", type: "standard" })).toBe("name: 买家 😀 é\ntype: standard\n");
});

test("a command for curl is quoted for the shell and holds no token", () => {
  const body: Definition = { name: 'it\'s $HOME `x` "y"', type: "standard" };
  const saving = { method: "PUT", address: "http://a:1/api/v1/segments/it's", body } as const;
  const text = curlText({ ...saving, headers: { "If-Match": '"3"' } }, true);
  expect(text.split(" \\\n  ").slice(0, 4)).toEqual([
    "curl -X PUT 'http://a:1/api/v1/segments/it'\\''s'",
    '-H "Authorization: Bearer $STREAMSEG_API_TOKEN"',
    "-H 'If-Match: \"3\"'",
    "-H 'Content-Type: application/json'",
  ]);
  expect(text).toContain('"name": "it\'\\\'\'s $HOME `x` \\"y\\""');
  expect(curlText({ ...saving, headers: {} }, false)).not.toContain("Authorization");
});
