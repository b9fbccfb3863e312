/** A definition as text that is pasted elsewhere: into a file for the command line, or into a shell. */

import { Document, visit } from "yaml";
import type { Definition } from "./types";

/** Readers of YAML differ over all other characters: some count as ends of lines, some are refused. */
const UNUSUAL = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const UNUSUAL_WITHIN_LINES = /[^\p{L}\p{M}\p{N}\p{P}\p{S} \n]/gu;
/** As plain text it would ask for the keys of another object. */
const MERGE = "<<";

/** Returns the definition in YAML, as `streamseg segments apply` takes it from a file. */
export function yamlText(definition: Definition): string {
  const document = new Document(definition);
  visit(document, {
    Scalar: (_key, one) => {
      const isDelicate = typeof one.value === "string" && (one.value === MERGE || UNUSUAL.test(one.value));
      if (isDelicate) one.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 }).replaceAll(UNUSUAL_WITHIN_LINES, escaped);
}

/** Returns an escape of a character within double quotes. */
function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
}

/** A request that saves a definition. */
export interface Saving {
  method: "POST" | "PUT";
  /** The whole address. */
  address: string;
  headers: Record<string, string>;
  body: Definition;
}

/** Returns a command for curl that sends a request. With `token` it takes the token from the variable that the
 * command line takes it from, so that the text holds no secret. */
export function curlText({ method, address, headers, body }: Saving, token: boolean): string {
  const given = Object.entries({ ...headers, "Content-Type": "application/json" });
  return [
    `curl -X ${method} ${quoted(address)}`,
    ...(token ? ['-H "Authorization: Bearer $STREAMSEG_API_TOKEN"'] : []),
    ...given.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    `-d ${quoted(JSON.stringify(body, null, 2))}`,
  ].join(" \\\n  ");
}

/** Returns a text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
