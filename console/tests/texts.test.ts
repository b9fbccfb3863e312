/** Both languages have the same texts, and no text stands in components. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import english from "../src/language/en.json";
import chinese from "../src/language/zh.json";

type Texts = { [key: string]: string | Texts };

function flat(texts: Texts, before = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === "string") found.set(before + key, value);
    else for (const [inner, text] of flat(value, `${before}${key}.`)) found.set(inner, text);
  }
  return found;
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

const SOURCES = sources(join(import.meta.dirname, "../src"));

test("both languages have the same keys and placeholders", () => {
  const [zh, en] = [flat(chinese), flat(english)];
  expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  for (const [key, text] of zh) {
    // A number may be left out of a sentence about one thing, but not named differently.
    expect(placeholders(en.get(key) ?? ""), key).toEqual(placeholders(text));
    expect(text.trim(), key).not.toBe("");
  }
});

test("every key that the code names exists", () => {
  const known = flat(chinese);
  for (const file of SOURCES) {
    for (const [, key] of readFileSync(file, "utf8").matchAll(/\bt\("([\w.-]+)"/g)) {
      expect(known.has(key ?? ""), `${key} in ${file}`).toBe(true);
    }
  }
});

test("no component has a text of its own", () => {
  for (const file of SOURCES) {
    const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    expect(code.match(/\p{Script=Han}+/u)?.[0], file).toBeUndefined();
    if (file.endsWith(".tsx")) {
      const literal = code.match(/>\s*([A-Za-z]{2,}[A-Za-z ]*)\s*<\//)?.[1];
      expect(literal === undefined || literal === "streamseg", `${literal} in ${file}`).toBe(true);
    }
  }
});
