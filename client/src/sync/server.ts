/** What phone and centre say to each other: the addresses, and the shapes of the answers. */

import type { Words } from "../engine/definition";
import type { Cursor, EditableRecord } from "../storage/caseload";
import type { PulledItem } from "../storage/caseload_updates";
import type { Bytes } from "../storage/bytes";
import type { BlobRow, CentreKey } from "../storage/types";
import type { Maps } from "../storage/maps";
import type { LogState } from "../storage/keeping";
import type { Receipt } from "../storage/receipts";
import type { JoinedPhone, Rules } from "../storage/vault";

import {
  isOurAnswer,
  readJson,
  request,
  requestJson,
  requestSigned,
  type Answer,
  type Keys,
} from "./requests";

export interface Manifest {
  forms: { id: string; role?: string; version: string; title: Words; sha256: string }[];
  areas?: { key: string; sha256: string }[];
  centre: string;
  worker: string;
  key?: CentreKey;
  receipts?: CentreKey;
  team?: { user: number; label: string }[];
  rules?: Rules;
  joined?: JoinedPhone[];
  map?: string; // which maps the centre has; "" for none
  kept?: LogState;
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
  copies: number; // of sent records, which stay until the centre holds them elsewhere
  persisted?: boolean;
  free_mb?: number;
  app?: string; // which build of the app
  audit?: string | undefined; // the oldest end of the centre's audit log that it still has
  clock?: number; // minutes that its clock is ahead
}

type Status = "stored" | "duplicate" | "conflict" | "rejected" | "retry" | "closed";

export interface RecordAnswer {
  id: string;
  sha256: string;
  status: Status;
  was?: string; // of a duplicate: what became of it the first time
  receipt?: Receipt;
  problems?: { code: string }[];
}

export interface Delivered {
  items: RecordAnswer[];
  orders: Record<string, string>;
  kept?: LogState;
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
  kept?: LogState;
}

/** What changed for this worker after a cursor; this app erases what it has of cards that ended. */
export function pullPage(token: string, key: CentreKey | null, cursor: Cursor): Promise<PullPage> {
  const isOurs = (value: PullPage & Answer): boolean =>
    isOurAnswer(value) && Array.isArray(value.items);
  return requestJson<PullPage & Answer>(`pull?cursor=${cursor}&ended=1`, [key], { token }, isOurs);
}

/** Hand sealed labels over, by card code, "" to delete one; says which the centre kept. */
export async function sendLabels(
  token: string,
  key: CentreKey | null,
  labels: Record<string, string>,
): Promise<string[]> {
  const isOurs = (value: { kept: string[] } & Answer): boolean =>
    isOurAnswer(value) && Array.isArray(value.kept);
  const options = { method: "POST", token, body: { labels } };
  return (await requestJson<{ kept: string[] } & Answer>("labels", [key], options, isOurs)).kept;
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

/**
 * Hand records over; `keys` are those with which the centres of this phone's workers sign, and one
 * of them signed the answer.
 */
export async function sendSealed(
  items: SealedItem[],
  phones: PhoneReport[],
  keys: Keys,
): Promise<[Delivered, CentreKey]> {
  const isOurs = (value: Delivered & Answer): boolean =>
    isOurAnswer(value) && Array.isArray(value.items) && typeof value.orders === "object";
  return requestSigned<Delivered & Answer>(
    "deliver",
    keys,
    { method: "POST", body: { items, phones } },
    isOurs,
  );
}
