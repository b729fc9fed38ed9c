/** What the first version of the app left on a phone, brought into today's shape. */

import { putRow } from "./database";
import { countRows, getFirstVersionSeal, readCountersAndOutbox } from "./record_counts";
import { sealToCentre } from "./sealing";
import { seal, unseal, type Vault } from "./vault";

interface FirstVersionRecord {
  id: string;
  form: string;
  version: string;
  finished_at: string;
  body: string;
}

/**
 * Count what was never counted, and seal the queue to the centre; nothing happens before the
 * centre's key has come.
 */
export async function migrateFirstVersion(vault: Vault): Promise<void> {
  const { user, device, key } = vault.account;
  if (!key || !vault.signer) return;
  const [counters, rows] = await readCountersAndOutbox(user);
  if (!counters && rows.length > 0) await putRow("counters", countRows(user, rows));
  for (const row of rows) {
    const oldSeal = getFirstVersionSeal(row);
    if (!oldSeal || row.box || row.state !== "waiting") continue;
    const record = await unseal<FirstVersionRecord>(vault.key, oldSeal);
    const { form, version, finished_at, body } = record;
    const content = { form, version, finished_at, body, seq: row.seq };
    const box = await sealToCentre(record.id, device, key, vault.signer, content);
    const about = await seal(vault.key, { form, finishedAt: finished_at, minutes: "" });
    const { id, seq } = row;
    await putRow("outbox", { id, user, seq, state: "waiting", box, about, shredOn: 0 });
  }
}
