/**
 * The centre's signature (Ed25519): on receipts, before anything leaves this phone; on its answers,
 * before any is obeyed.
 */

import { fromBase64, toUtf8 } from "./bytes";
import type { CentreKey } from "./types";

/** The centre's word that it holds a record: the twin of sync/receipts.py. */
export interface Receipt {
  at: string;
  position: number;
  epoch?: number; // of the centre's log; centres of before say none
  kid: string;
  signature: string;
  proof?: string; // the same, signed with the epoch
}

const ALGORITHM = "Ed25519";

export async function isSigned(
  key: CentreKey | null | undefined,
  signature: string,
  text: string,
): Promise<boolean> {
  if (!key) return false;
  try {
    const imported = await crypto.subtle.importKey(
      "raw",
      fromBase64(key.public),
      ALGORITHM,
      false,
      ["verify"],
    );
    return await crypto.subtle.verify(ALGORITHM, imported, fromBase64(signature), toUtf8(text));
  } catch {
    return false;
  }
}

/** Whether a receipt is this centre's, for exactly these bytes. */
export function isReceipt(
  key: CentreKey | null | undefined,
  id: string,
  hash: string,
  receipt: Receipt | undefined,
): Promise<boolean> {
  if (!receipt || receipt.kid !== key?.kid) return Promise.resolve(false);
  const { at, position, epoch, signature, proof = "" } = receipt;
  const text = `|${id}|${hash}|${at}|`;
  if (epoch === undefined) return isSigned(key, signature, `fieldapp receipt 1${text}${position}`);
  return isSigned(key, proof, `fieldapp receipt 2${text}${epoch}|${position}`);
}

/** Whether this browser knows such signatures; one that does not could never let go of anything. */
export function canVerify(): Promise<boolean> {
  return crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]).then(
    () => true,
    () => false,
  );
}
