/** Talk to the centre. Whatever is not provably its answer counts as no connection. */

import type { Words } from "../engine/definition";
import type { Cursor, EditableRecord } from "../storage/caseload";
import type { PulledItem } from "../storage/caseload_updates";
import { type Bytes, sha256, toUtf8 } from "../storage/bytes";
import type { BlobRow, CentreKey } from "../storage/types";
import type { Maps } from "../storage/maps";
import { isSigned, type Receipt } from "../storage/receipts";
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
  receipts?: CentreKey;
  team?: { user: number; label: string }[];
  rules?: Rules;
  map?: string; // which maps the centre has; "" for none
  now?: string;
}

export interface SignedIn {
  token: string;
  device: string;
  user: number;
  username: string;
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
export interface PhoneReport {
  device: string;
  made: number;
  unsent: number;
  deleted: number;
  persisted?: boolean;
  free_mb?: number;
  app?: string; // which build of the app
  clock?: number; // minutes that its clock is ahead
}

type Status = "stored" | "duplicate" | "conflict" | "rejected" | "retry" | "closed";

export interface RecordAnswer {
  id: string;
  sha256: string;
  status: Status;
  was?: string; // of a duplicate: what became of it the first time
  receipt?: Receipt;
}

export interface Delivered {
  items: RecordAnswer[];
  orders: Record<string, string>;
}

interface Options {
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

async function request(path: string, options: Options): Promise<Response> {
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

async function readJson<T>(response: Response, isOurs: (value: T) => boolean): Promise<T> {
  return parseAnswer(await readText(response), isOurs);
}

/**
 * Ask for something that only the centre itself may say: its answer is signed, with a nonce of ours
 * in it.
 */
async function requestJson<T>(
  path: string,
  keys: Keys,
  options: Options,
  isOurs: (value: T) => boolean,
): Promise<T> {
  const nonce = crypto.randomUUID();
  const asked = Date.now();
  const response = await request(path, { ...options, nonce });
  const text = await readText(response);
  const signed = `fieldapp answer 1|${nonce}|${await sha256(toUtf8(text))}`;
  const signature = response.headers.get("X-Signature") ?? "";
  const checks = await Promise.all(keys.map((key) => isSigned(key, signature, signed)));
  if (!checks.includes(true)) throw new Offline();
  const value = parseAnswer<T & { now?: string }>(text, isOurs);
  measureClockOffset(value.now, asked);
  return value;
}

/**
 * How far this phone's clock is ahead of the centre's, in minutes, as last measured; 0 before that.
 */
export let clockAhead = 0;

function measureClockOffset(now: string | undefined, asked: number): void {
  const theirs = now ? Date.parse(now) : Number.NaN;
  if (!Number.isNaN(theirs)) clockAhead = Math.round(((asked + Date.now()) / 2 - theirs) / 60_000);
}

const isSignedIn = (value: SignedIn & Answer): boolean =>
  isOurAnswer(value) && Boolean(value.token);

export async function signIn(
  username: string,
  password: string,
  device: string,
  publicKey: string,
): Promise<SignedIn> {
  const body = { username, password, device, public_key: publicKey };
  return readJson<SignedIn & Answer>(
    await request("sign-in", { method: "POST", body }),
    isSignedIn,
  );
}

/** Join by an invitation, which is then used up. */
export async function join(
  invitation: string,
  device: string,
  publicKey: string,
): Promise<SignedIn> {
  const body = { invitation, device, public_key: publicKey };
  return readJson<SignedIn & Answer>(await request("join", { method: "POST", body }), isSignedIn);
}

type Keys = (CentreKey | null | undefined)[];
interface Answer {
  protocol: number;
}
const isOurAnswer = ({ protocol }: Answer): boolean => protocol === PROTOCOL;

/** The manifest; of a centre whose signing key is not known yet (`key` is null), as it comes. */
export async function fetchManifest(token: string, key: CentreKey | null): Promise<Manifest> {
  if (key) return requestJson<Manifest & Answer>("manifest", [key], { token }, isOurAnswer);
  return readJson<Manifest & Answer>(await request("manifest", { token }), isOurAnswer);
}

export interface PullPage {
  cursor: Cursor;
  reset?: boolean; // it tells everything again: its numbers are not those that this phone knew
  more: boolean;
  items: PulledItem[];
}

/** What changed for this worker after a cursor. */
export function pullPage(token: string, key: CentreKey | null, cursor: Cursor): Promise<PullPage> {
  const isOurs = (value: PullPage & Answer): boolean =>
    isOurAnswer(value) && Array.isArray(value.items);
  return requestJson<PullPage & Answer>(`pull?cursor=${cursor}`, [key], { token }, isOurs);
}

/** A record of the worker's own, to correct it. */
export function fetchRecord(
  token: string,
  key: CentreKey | null,
  id: string,
): Promise<EditableRecord> {
  return requestJson<EditableRecord & Answer>(
    `records/${encodeURIComponent(id)}`,
    [key],
    { token },
    isOurAnswer,
  );
}

export async function fetchForm(token: string, id: string, version: string): Promise<string> {
  const path = `forms/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
  return (await request(path, { token })).text();
}

export async function fetchAreas(token: string, key: string): Promise<string> {
  return (await request(`areas/${encodeURIComponent(key)}`, { token })).text();
}

export async function fetchMaps(token: string, key: CentreKey | null): Promise<Maps> {
  return requestJson<Maps & Answer>("map", [key], { token }, isOurAnswer);
}

/** Send one piece of an attachment; says how many bytes of it the centre has. */
export async function sendPiece(
  { hash, device, data, proof, sent }: BlobRow,
  piece: Bytes,
): Promise<number> {
  const range = `bytes ${sent}-${sent + piece.length - 1}/${data.length}`;
  const headers = { "Content-Range": range, "X-Device": device, "X-Proof": proof };
  const response = await request(`attachments/${hash}`, { method: "PUT", piece, headers });
  return (await readJson<Answer & { received: number }>(response, isOurAnswer)).received;
}

/** Hand records over; `keys` are those with which the centres of this phone's workers sign. */
export function sendSealed(
  items: SealedItem[],
  phones: PhoneReport[],
  keys: Keys,
): Promise<Delivered> {
  const isOurs = (value: Delivered & Answer): boolean =>
    isOurAnswer(value) && Array.isArray(value.items) && typeof value.orders === "object";
  return requestJson<Delivered & Answer>(
    "deliver",
    keys,
    { method: "POST", body: { items, phones } },
    isOurs,
  );
}
