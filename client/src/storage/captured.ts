/**
 * Pictures, recordings and files in the answers of a record: taken out when it is finished, each
 * sealed to the centre, its record names it by the hash of what is sent; put back when its worker
 * takes the record back. The other side: services/records/attachments.py.
 */

import type { Json } from "../engine/types";
import { fromBase64, joinBytes, sha256, toBase64, toUtf8 } from "./bytes";
import type { BlobRow } from "./types";
import { sealHpke, signBytes } from "./sealing";
import { seal, unseal, type Vault } from "./vault";

const CAPTURED = /^data:([a-z]+\/[a-z0-9.+-]+);base64,(.+)$/;

/** The answers with each text in them changed. */
async function changeTexts(
  answers: Json,
  change: (text: string) => Promise<string>,
): Promise<Json> {
  const walk = async (value: Json[string]): Promise<Json[string]> => {
    if (typeof value === "string") return change(value);
    if (Array.isArray(value)) return Promise.all(value.map(walk)) as Promise<Json[]>;
    const entries = Object.entries(value).map(
      async ([name, inner]) => [name, await walk(inner)] as const,
    );
    return Object.fromEntries(await Promise.all(entries)) as Json;
  };
  return (await walk(answers)) as Json;
}

/** The answers with references instead of what was captured, and what was captured, sealed. */
export async function detachAttachments(
  vault: Vault,
  record: string,
  answers: Json,
): Promise<[Json, BlobRow[]]> {
  const { user, device, key } = vault.account;
  const blobs: BlobRow[] = [];
  const detach = async (text: string): Promise<string> => {
    const [, kind, data] = CAPTURED.exec(text) ?? [];
    if (!kind || !data || !key) return text;
    const info = toUtf8(`fieldapp attachment 1|${key.kid}${device}`);
    const sealed = joinBytes(info, await sealHpke(fromBase64(key.public), info, fromBase64(data)));
    const hash = await sha256(sealed);
    const proof = toBase64(
      await signBytes(vault.signer, toUtf8(`fieldapp attachment 1|${hash}|${sealed.length}`)),
    );
    const own = await seal(vault.key, text);
    blobs.push({ hash, user, record, device, data: sealed, proof, sent: 0, own });
    return `attachment:${kind}:${hash}`;
  };
  return [await changeTexts(answers, detach), blobs];
}

/** The answers with what was captured in place of the references to it. */
export function restoreAttachments(vault: Vault, answers: Json, blobs: BlobRow[]): Promise<Json> {
  return changeTexts(answers, async (text) => {
    const own = blobs.find(({ hash }) => text.endsWith(`:${hash}`))?.own;
    return own ? unseal<string>(vault.key, own) : text;
  });
}
