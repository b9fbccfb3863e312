/** Requests to the worker's API, and the problems that it answers with (RFC 9457). */

import { readJson } from "../definition/long_numbers";
import { currentLanguage } from "../language/language";

/** Where the API is on the server of the page. */
export const API = "/api/v1";

/** A refusal of the API. `path` is the field at fault, such as `clusters[0].conditions[0].value`. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly path: string | undefined;
  readonly title: string;

  constructor(status: number, body: { code?: string; detail?: string; title?: string; path?: string }) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "unknown";
    this.title = body.title ?? `HTTP ${status}`;
    this.path = body.path;
  }
}

export interface Request {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Asks the API and returns the answer's body; undefined if it has none. Throws Problem. */
export async function ask<Answer>(path: string, request: Request = {}): Promise<Answer> {
  const { method = "GET", body, headers = {}, signal } = request;
  const sent: RequestInit = {
    method,
    credentials: "same-origin",
    headers: {
      "Accept-Language": currentLanguage(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
  };
  if (body !== undefined) sent.body = JSON.stringify(body);
  if (signal) sent.signal = signal;
  const answered = await fetch(`${API}${path}`, sent);
  const text = await answered.text();
  const read = text === "" ? undefined : parsed(text);
  if (!answered.ok) throw new Problem(answered.status, (read as object | undefined) ?? {});
  return read as Answer;
}

function parsed(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/** Returns an address with its query; parameters without a value are left out. */
export function withQuery(path: string, query: Record<string, string | number | undefined | null>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") given.set(name, String(value));
  }
  const text = given.toString();
  return text === "" ? path : `${path}?${text}`;
}

export function segmentPath(segmentId: string): string {
  return `/segments/${encodeURIComponent(segmentId)}`;
}

export function contactPath(contactId: string): string {
  return `/contacts/${encodeURIComponent(contactId)}`;
}
