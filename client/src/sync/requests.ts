/** Ask the centre. Whatever is not provably its answer counts as no connection. */

import { sha256, toUtf8, type Bytes } from "../storage/bytes";
import { isSigned } from "../storage/receipts";
import type { CentreKey } from "../storage/types";

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

export type Keys = (CentreKey | null | undefined)[];
export interface Answer {
  protocol: number;
}
export const isOurAnswer = ({ protocol }: Answer): boolean => protocol === PROTOCOL;

export interface Options {
  method?: string;
  token?: string;
  body?: unknown;
  piece?: Bytes; // of an attachment
  headers?: Record<string, string>;
  nonce?: string; // the answer must be signed together with it
}

function makeHeaders({ token, body, headers, nonce }: Options): Record<string, string> {
  return {
    "Accept-Language": globalThis.document?.documentElement.lang ?? "en",
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...headers,
    ...(nonce ? { "X-Nonce": nonce } : {}),
  };
}

/** The centre's response. Raise Refused where it says no, and Offline where nobody answers. */
export async function request(path: string, options: Options): Promise<Response> {
  const { method = "GET", body, piece } = options;
  let response: Response;
  try {
    response = await fetch(`/sync/v1/${path}`, {
      method,
      headers: makeHeaders(options),
      ...(body === undefined && !piece ? {} : { body: piece ?? JSON.stringify(body) }),
      redirect: "error",
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new Offline();
  }
  if (response.ok) return response;
  if (
    response.headers.get("Content-Type")?.startsWith("application/problem+json") &&
    response.status < 500
  ) {
    const problem = (await response.json()) as { code: string; title: string };
    throw new Refused(problem.code, problem.title);
  }
  throw new Offline();
}

function parseAnswer<T>(text: string, isOurs: (value: T) => boolean): T {
  try {
    const value = JSON.parse(text) as T;
    if (value && isOurs(value)) return value;
  } catch {
    // a page of some other server
  }
  throw new Offline();
}

const readText = (response: Response): Promise<string> =>
  response.text().catch(() => {
    throw new Offline(); // it broke off
  });

/** The answer in a response that is not signed. Raise Offline where it is no answer of ours. */
export async function readJson<T>(response: Response, isOurs: (value: T) => boolean): Promise<T> {
  return parseAnswer(await readText(response), isOurs);
}

/**
 * Ask for something that only the centre itself may say: its answer is signed, with a nonce of ours
 * in it. Return it with the key that signed it.
 */
export async function requestSigned<T>(
  path: string,
  keys: Keys,
  options: Options,
  isOurs: (value: T) => boolean,
): Promise<[T, CentreKey]> {
  const nonce = crypto.randomUUID();
  const asked = Date.now();
  const response = await request(path, { ...options, nonce });
  const text = await readText(response);
  const signed = `fieldapp answer 1|${nonce}|${await sha256(toUtf8(text))}`;
  const signature = response.headers.get("X-Signature") ?? "";
  const checks = await Promise.all(keys.map((key) => isSigned(key, signature, signed)));
  const signer = keys[checks.indexOf(true)];
  if (!signer) throw new Offline();
  const value = parseAnswer<T & { now?: string }>(text, isOurs);
  measureClockOffset(value.now, asked);
  return [value, signer];
}

/** The answer to something that only the centre itself may say. */
export async function requestJson<T>(...asked: Parameters<typeof requestSigned<T>>): Promise<T> {
  return (await requestSigned<T>(...asked))[0];
}

/**
 * How far this phone's clock is ahead of the centre's, in minutes, as last measured; 0 before that.
 */
export let clockAhead = 0;

function measureClockOffset(now: string | undefined, asked: number): void {
  const theirs = now ? Date.parse(now) : Number.NaN;
  if (!Number.isNaN(theirs)) clockAhead = Math.round(((asked + Date.now()) / 2 - theirs) / 60_000);
}
