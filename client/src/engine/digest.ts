/** digest() of the expression language, on @noble/hashes: browsers offer hashing only to code that can wait. */

import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

const ALGORITHMS: Record<string, (data: Uint8Array) => Uint8Array> = {
  MD5: md5,
  "SHA-1": sha1,
  "SHA-256": sha256,
  "SHA-384": sha384,
  "SHA-512": sha512,
};
const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The digest of a text in UTF-8; "" for an algorithm or encoding that there is not. */
export function digest(text: string, algorithm: string, encoding: string): string {
  const hash = ALGORITHMS[algorithm.toUpperCase()];
  if (!hash || (encoding !== "base64" && encoding !== "hex")) return "";
  const data = hash(utf8ToBytes(text));
  return encoding === "hex" ? bytesToHex(data) : base64(data);
}

function base64(data: Uint8Array): string {
  let text = "";
  for (let at = 0; at < data.length; at += 3) {
    const [a, b, c] = [data[at]!, data[at + 1], data[at + 2]];
    text += SIGNS[a >> 2]! + SIGNS[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    text += b === undefined ? "=" : SIGNS[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    text += c === undefined ? "=" : SIGNS[c & 63]!;
  }
  return text;
}
