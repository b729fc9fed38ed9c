/** Talk to the centre. Whatever is not provably its answer counts as no connection. */

import type { Words } from "../engine/definition";
import type { Envelope } from "../storage/records";

const PROTOCOL = 1;
const PATIENCE = 30_000; // milliseconds

/** No connection, a captive portal, a server that is down: try again later. */
export class Offline extends Error {}

/** The centre answered no; `message` is in the worker's language. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface SignedIn {
  token: string;
  user: number;
  worker: string;
  recovery: string;
}

export interface Manifest {
  forms: { id: string; version: string; title: Words; sha256: string }[];
  centre: string;
  worker: string;
}

export interface Answer {
  id: string;
  sha256: string;
  status: "stored" | "duplicate" | "conflict" | "rejected" | "retry";
}

interface Options {
  method?: string;
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

async function request(path: string, { method = "GET", token, body, headers = {} }: Options): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/sync/v1/${path}`, {
      method,
      headers: {
        "Accept-Language": document.documentElement.lang,
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new Offline();
  }
  if (response.ok) return response;
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json") && response.status < 500) {
    const problem = (await response.json()) as { code: string; title: string };
    throw new Refused(problem.code, problem.title);
  }
  throw new Offline();
}

async function json<T>(response: Response, isOurs: (value: T) => boolean): Promise<T> {
  try {
    const value = (await response.json()) as T;
    if (value && isOurs(value)) return value;
  } catch {
    // a page of some other server
  }
  throw new Offline();
}

export async function signIn(username: string, password: string, device: string): Promise<SignedIn> {
  const response = await request("sign-in", { method: "POST", body: { username, password, device } });
  return json<SignedIn & { protocol: number }>(
    response,
    (value) => value.protocol === PROTOCOL && Boolean(value.token),
  );
}

export async function fetchManifest(token: string): Promise<Manifest> {
  const response = await request("manifest", { token });
  return json<Manifest & { protocol: number }>(response, (value) => value.protocol === PROTOCOL);
}

export async function fetchForm(token: string, id: string, version: string): Promise<string> {
  const path = `forms/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
  return (await request(path, { token })).text();
}

export async function sendBatch(token: string, items: Envelope[], unsent: number): Promise<Answer[]> {
  const headers = { "X-Unsent": String(unsent) };
  const response = await request("batch", { method: "POST", token, body: { items }, headers });
  const isOurs = (value: { protocol: number; items: Answer[] }): boolean =>
    value.protocol === PROTOCOL && Array.isArray(value.items);
  return (await json<{ protocol: number; items: Answer[] }>(response, isOurs)).items;
}
