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
  kid: string;
  signature: string;
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
  const { at, position, kid, signature } = receipt ?? {
    at: "",
    position: 0,
    kid: "",
    signature: "",
  };
  if (kid !== key?.kid) return Promise.resolve(false);
  return isSigned(key, signature, `fieldapp receipt 1|${id}|${hash}|${at}|${position}`);
}

/** Whether this browser knows such signatures; one that does not could never let go of anything. */
export function canVerify(): Promise<boolean> {
  return crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]).then(
    () => true,
    () => false,
  );
}
