/**
 * What a phone tells the centre of itself: how much it has, how it is; nothing of what is in the
 * records.
 */

import { getAllRows } from "../storage/database";
import { checkStorage } from "../storage/health";
import { getCounters } from "../storage/record_counts";
import type { OutboxRow, VaultRow } from "../storage/types";
import { clockAhead } from "./requests";
import type { PhoneReport } from "./server";

declare const BUILT: string; // filled in by the build: a hash of what the app was made from

/** A report for each worker of the phone. */
export async function makePhoneReports(vaults: VaultRow[]): Promise<PhoneReport[]> {
  const rows = await getAllRows("outbox");
  const { isKept, freeMb } = await checkStorage();
  const shared = {
    persisted: isKept,
    app: BUILT,
    clock: clockAhead,
    ...(freeMb === null ? {} : { free_mb: freeMb }),
  };
  return Promise.all(vaults.map((vault) => makePhoneReport(vault, rows, shared)));
}

/** The report of one worker: of what was counted since they signed in on this phone. */
async function makePhoneReport(
  vault: VaultRow,
  rows: OutboxRow[],
  shared: Partial<PhoneReport>,
): Promise<PhoneReport> {
  const { made, deleted } = await getCounters(vault.user);
  const base = vault.base ?? { made: 0, deleted: 0 };
  const isUnsent = ({ state, box, user }: OutboxRow): boolean =>
    state === "waiting" ? box?.device === vault.device : state === "open" && user === vault.user;
  return {
    device: vault.device,
    made: made - base.made,
    unsent: rows.filter(isUnsent).length,
    deleted: deleted - base.deleted,
    audit: vault.heads?.at(-1)?.[1],
    copies: rows.filter(({ at, box }) => at && box?.device === vault.device).length,
    ...shared,
  };
}
