/** What a worker says about their caseload that is no form: it is sent as a record is. */

import { parseCardCode } from "../engine/cards";
import type { Json } from "../engine/types";
import { type Caseload, readCaseload } from "./caseload";
import { enqueue, formatLocalTime, NOTE } from "./outbox";
import { compareCaseloads } from "./undo";
import { seal, type Vault } from "./vault";

/**
 * Finish what a worker says about their caseload that is no form (sync/notes.py). It travels as a
 * record does.
 */
export async function finishNote(
  vault: Vault,
  kind: string,
  body: Json | { code: string; to: number } | { record: string; code?: never; to: number },
  change: (caseload: Caseload) => Caseload,
  id: string = crypto.randomUUID(),
): Promise<void> {
  const content = {
    form: `${NOTE}${kind}`,
    version: "1",
    finished_at: formatLocalTime(new Date()),
    body: JSON.stringify(body),
  };
  const person = parseCardCode(String(body["code"] ?? ""));
  const caseload = await readCaseload(vault);
  const changes = compareCaseloads(caseload, change(caseload));
  const undo = await seal(vault.key, { ...changes, refused: null, hasSlip: false });
  const item = { content, about: { minutes: "" }, person, change, blobs: [], sealed: { undo } };
  await enqueue(vault, { ...item, id });
}
