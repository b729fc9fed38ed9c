/**
 * Pictures, recordings and files travel apart from their record, before it, in pieces that can be
 * taken up again: each is sealed to the centre, and its record names it by the hash of what is
 * sent. The other side: services/records/attachments.py.
 */

import type { Json } from "../engine/types";
import { type Bytes, fromBase64, joinBytes, sha256, toBase64, toUtf8 } from "./bytes";
import type { BlobRow } from "./types";
import { sealHpke, signBytes } from "./sealing";
import type { Vault } from "./vault";

const CAPTURED = /^data:([a-z]+\/[a-z0-9.+-]+);base64,(.+)$/;

/** The answers with references instead of what was captured, and what was captured, sealed. */
export async function detachAttachments(
  vault: Vault,
  record: string,
  answers: Json,
): Promise<[Json, BlobRow[]]> {
  const { user, device, key } = vault.account;
  const blobs: BlobRow[] = [];
  const walk = async (value: Json[string]): Promise<Json[string]> => {
    if (Array.isArray(value)) return Promise.all(value.map(walk)) as Promise<Json[]>;
    if (typeof value === "object") {
      const entries = Object.entries(value).map(
        async ([name, inner]) => [name, await walk(inner)] as const,
      );
      return Object.fromEntries(await Promise.all(entries)) as Json;
    }
    const [, kind, data] = CAPTURED.exec(value) ?? [];
    if (!kind || !data || !key) return value;
    const info = toUtf8(`fieldapp attachment 1|${key.kid}${device}`);
    const sealed = joinBytes(info, await sealHpke(fromBase64(key.public), info, fromBase64(data)));
    const hash = await sha256(sealed);
    const proof = toBase64(
      await signBytes(vault.signer, toUtf8(`fieldapp attachment 1|${hash}|${sealed.length}`)),
    );
    blobs.push({ hash, user, record, device, data: sealed, proof, sent: 0 });
    return `attachment:${kind}:${hash}`;
  };
  return [(await walk(answers)) as Json, blobs];
}

export const PIECE = 256 * 1024;

/** The next piece that the centre lacks. */
export function getNextPiece({ data, sent }: BlobRow): Bytes {
  return data.slice(sent, sent + PIECE);
}
