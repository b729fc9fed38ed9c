/**
 * Pictures, recordings and files travel apart from their record, before it, in pieces that can be
 * taken up again. How they leave the answers is in captured.ts.
 */

import type { Bytes } from "./bytes";
import type { BlobRow } from "./types";

export const PIECE = 256 * 1024;

/** The next piece that the centre lacks. */
export function getNextPiece({ data, sent }: BlobRow): Bytes {
  return data.slice(sent, sent + PIECE);
}
