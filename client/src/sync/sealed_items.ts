/** What waits on the phone to be sent, as it is stored and as it travels. */

import { toBase64 } from "../storage/bytes";
import { getAllRows } from "../storage/database";
import type { OutboxRow } from "../storage/types";
import type { SealedItem } from "./server";

/** A record as it travels. */
export function makeSealedItem({ id, box }: OutboxRow): SealedItem {
  const { device, kid, box: data, signature } = box!;
  return { id, device, kid, box: toBase64(data), signature: toBase64(signature) };
}

/** The finished records that wait, the oldest first. */
export async function listOutbox(): Promise<OutboxRow[]> {
  const rows = await getAllRows("outbox");
  return rows.filter(({ state, box }) => state === "waiting" && box).sort((a, b) => a.seq - b.seq);
}
