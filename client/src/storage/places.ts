/**
 * Where a worker is in the app, under their own key: a phone that ended the app begins there again.
 */

import { getRow, putRow } from "./database";
import { seal, unseal, type Vault } from "./vault";

const LASTS = 12 * 3_600_000; // milliseconds: on another shift the day begins with Today
const LOCKED = /^#\/(clock|sign-in)/;
const PASSING = /^#\/(start|saved|practice)/; // nothing was answered yet, or nobody goes on there

interface Place {
  hash: string;
  at: number;
}

let noted: Promise<void> = Promise.resolve();

/** Note where the worker is now; the last note counts, however long each takes to write. */
export function notePlace(vault: Vault): Promise<void> {
  noted = noted.then(() => writePlace(vault)).catch(() => undefined);
  return noted;
}

async function writePlace(vault: Vault): Promise<void> {
  const { hash } = location;
  if (LOCKED.test(hash)) return;
  const place: Place = { hash: PASSING.test(hash) ? "#/today" : hash, at: Date.now() };
  await putRow("places", { user: vault.account.user, sealed: await seal(vault.key, place) });
}

/** Where the worker was last, as a path; today's where that is long ago or unknown. */
export async function readPlace(vault: Vault): Promise<string> {
  const row = await getRow("places", vault.account.user);
  const place = row && (await unseal<Place>(vault.key, row.sealed));
  const isLately = place && Math.abs(Date.now() - place.at) < LASTS;
  return isLately ? place.hash.slice(1) : "/today";
}
