/** Talk to the centre. Whatever is not provably its answer counts as no connection. */

import type { Words } from "../engine/definition";
import type { CentreKey } from "../storage/sealing";
import type { Rules } from "../storage/vault";

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

export interface Manifest {
  forms: { id: string; version: string; title: Words; sha256: string }[];
  areas?: { key: string; sha256: string }[];
  centre: string;
  worker: string;
  key?: CentreKey;
  rules?: Rules;
  now?: string;
}

export interface SignedIn {
  token: string;
  device: string;
  user: number;
  worker: string;
  recovery: string;
  manifest: Manifest;
}

export interface SealedItem {
  id: string;
  device: string;
  kid: string;
  box: string;
  signature: string;
}

/** What a worker's sign-in on this phone says of itself, without a word of what is in it. */
export interface Report {
  device: string;
  made: number;
  unsent: number;
  deleted: number;
  persisted?: boolean;
  free_mb?: number;
}

export interface Delivered {
  items: { id: string; sha256: string; status: "stored" | "duplicate" | "conflict" | "rejected" | "retry" }[];
  orders: Record<string, string>;
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
        "Accept-Language": globalThis.document?.documentElement.lang ?? "en",
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

/** How far this phone's clock is ahead of the centre's, in minutes, as last measured; 0 before that. */
export let clockAhead = 0;

function measure(now: string | undefined, asked: number): void {
  const theirs = now ? Date.parse(now) : Number.NaN;
  if (!Number.isNaN(theirs)) clockAhead = Math.round(((asked + Date.now()) / 2 - theirs) / 60_000);
}

export async function signIn(username: string, password: string, device: string, publicKey: string): Promise<SignedIn> {
  const body = { username, password, device, public_key: publicKey };
  const response = await request("sign-in", { method: "POST", body });
  return json<SignedIn & { protocol: number }>(
    response,
    (value) => value.protocol === PROTOCOL && Boolean(value.token),
  );
}

export async function fetchManifest(token: string): Promise<Manifest> {
  const asked = Date.now();
  const response = await request("manifest", { token });
  const manifest = await json<Manifest & { protocol: number }>(response, (value) => value.protocol === PROTOCOL);
  measure(manifest.now, asked);
  return manifest;
}

export async function fetchForm(token: string, id: string, version: string): Promise<string> {
  const path = `forms/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
  return (await request(path, { token })).text();
}

export async function fetchAreas(token: string, key: string): Promise<string> {
  return (await request(`areas/${encodeURIComponent(key)}`, { token })).text();
}

export async function sendSealed(items: SealedItem[], phones: Report[]): Promise<Delivered> {
  const asked = Date.now();
  const response = await request("deliver", { method: "POST", body: { items, phones } });
  const isOurs = (value: Delivered & { protocol: number }): boolean =>
    value.protocol === PROTOCOL && Array.isArray(value.items) && typeof value.orders === "object";
  const answer = await json<Delivered & { protocol: number; now?: string }>(response, isOurs);
  measure(answer.now, asked);
  return answer;
}
