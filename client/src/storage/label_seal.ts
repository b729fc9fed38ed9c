/**
 * A worker's own labels for cards, sealed so that the centre can keep them and not read them: by a
 * key that a password gives, for one card each. What is sealed always has the same length.
 */

import { type Bytes, fromBase64, joinBytes, randomBytes, toBase64, toUtf8 } from "./bytes";

const ITERATIONS = 600_000;
const IV = 12; // bytes
const SIZE = 256; // bytes of a label with what fills it up: 60 characters of at most 4 bytes fit

/** Whose label of which card a text is: a sealed one opens as no other. */
export interface LabelOf {
  user: number;
  code: string;
}

/** The key that a password stands for, as text; slow on purpose. */
export async function deriveLabelKey(password: string, salt: string): Promise<string> {
  const material = await crypto.subtle.importKey("raw", toUtf8(password), "PBKDF2", false, [
    "deriveBits",
  ]);
  const way = { name: "PBKDF2", hash: "SHA-256", salt: toUtf8(salt), iterations: ITERATIONS };
  return toBase64(new Uint8Array(await crypto.subtle.deriveBits(way, material, 256)));
}

const importKey = (key: string): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", fromBase64(key), "AES-GCM", false, ["encrypt", "decrypt"]);

const makeAlgorithm = (iv: Bytes, { user, code }: LabelOf): AesGcmParams => ({
  name: "AES-GCM",
  iv,
  additionalData: toUtf8(`fieldapp label 1|${user}|${code}`),
});

export async function sealLabel(key: string, of: LabelOf, label: string): Promise<string> {
  const plain = new Uint8Array(SIZE);
  plain.set(toUtf8(label));
  const iv = randomBytes(IV);
  const sealed = await crypto.subtle.encrypt(makeAlgorithm(iv, of), await importKey(key), plain);
  return toBase64(joinBytes(iv, new Uint8Array(sealed)));
}

/** The label in what was sealed; null where another key sealed it. */
export async function openLabel(key: string, of: LabelOf, sealed: string): Promise<string | null> {
  try {
    const bytes = fromBase64(sealed);
    const algorithm = makeAlgorithm(bytes.slice(0, IV), of);
    const plain = await crypto.subtle.decrypt(algorithm, await importKey(key), bytes.slice(IV));
    return new TextDecoder().decode(plain).replace(/\0+$/, "");
  } catch {
    return null;
  }
}
