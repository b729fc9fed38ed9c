/**
 * A copy of all that was not sent, or that the centre has on one disk only, as a file: sealed to
 * the centre, so it may go any way.
 */

import { toBase64 } from "../../storage/bytes";
import { getAllRows } from "../../storage/database";
import { listOutbox, makeSealedItem } from "../../sync/sealed_items";
import { offerFile } from "./offer_file";

/** Offer the file; says "saved" when it was handed over, "" when the worker changed their mind. */
export async function saveCopy(): Promise<"" | "saved"> {
  // Whoever has the file has the records: from here on they are corrected, not taken back.
  const { markTried } = await import("../../sync/exchange");
  const waiting = await markTried(await listOutbox());
  const sent = (await getAllRows("outbox")).filter(({ at, box }) => at && box);
  const items = [...waiting, ...sent].map(makeSealedItem);
  const attachments = (await getAllRows("blobs")).map(({ hash, device, proof, data }) => ({
    hash,
    device,
    proof,
    data: toBase64(data),
  }));
  const text = JSON.stringify({ about: "fieldapp: sealed records", items, attachments });
  const name = `sealed-${new Date().toISOString().slice(0, 10)}.json`;
  const file = new File([text], name, { type: "application/json" });
  return offerFile(file);
}
