/**
 * Seal a finished record to the centre and sign it as this phone: the twin of sync/sealed.py.
 *
 * HPKE (RFC 9180), base mode, single shot: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
 * Once sealed, not even this phone can read it.
 */

import { type Bytes, fromBase64, joinBytes, toBase64, toUtf8 } from "./bytes";
import type { CentreKey, SealedBox } from "./types";

const CURVE = { name: "ECDH", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", namedCurve: "P-256" };
const KEM = joinBytes(toUtf8("KEM"), new Uint8Array([0, 0x10]));
const HPKE = joinBytes(toUtf8("HPKE"), new Uint8Array([0, 0x10, 0, 1, 0, 2]));
const NOTHING = new Uint8Array(0);
const NO_SALT = new Uint8Array(32); // the same to HMAC as an empty key, which some browsers refuse

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey(
    "raw",
    key,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

const extract = (suite: Bytes, salt: Bytes, label: string, input: Bytes): Promise<Bytes> =>
  hmac(salt, joinBytes(toUtf8("HPKE-v1"), suite, toUtf8(label), input));

/** LabeledExpand for at most 32 bytes. */
async function expand(
  suite: Bytes,
  key: Bytes,
  label: string,
  info: Bytes,
  size: number,
): Promise<Bytes> {
  const labelled = joinBytes(
    new Uint8Array([0, size]),
    toUtf8("HPKE-v1"),
    suite,
    toUtf8(label),
    info,
  );
  return (await hmac(key, joinBytes(labelled, new Uint8Array([1])))).slice(0, size);
}

export async function sealHpke(publicKey: Bytes, info: Bytes, plain: Bytes): Promise<Bytes> {
  const centre = await crypto.subtle.importKey("raw", publicKey, CURVE, false, []);
  const fresh = await crypto.subtle.generateKey(CURVE, true, ["deriveBits"]);
  const sent = new Uint8Array(await crypto.subtle.exportKey("raw", fresh.publicKey));
  const met = new Uint8Array(
    await crypto.subtle.deriveBits({ name: "ECDH", public: centre }, fresh.privateKey, 256),
  );
  const shared = await expand(
    KEM,
    await extract(KEM, NO_SALT, "eae_prk", met),
    "shared_secret",
    joinBytes(sent, publicKey),
    32,
  );
  const context = joinBytes(
    new Uint8Array([0]),
    await extract(HPKE, NO_SALT, "psk_id_hash", NOTHING),
    await extract(HPKE, NO_SALT, "info_hash", info),
  );
  const secret = await extract(HPKE, shared, "secret", NOTHING);
  const raw = await expand(HPKE, secret, "key", context, 32);
  const iv = await expand(HPKE, secret, "base_nonce", context, 12);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  return joinBytes(
    sent,
    new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain)),
  );
}

/**
 * A new key with which a worker's sign-in on this phone signs: its public half, and the private one
 * for the vault.
 */
export async function makeSigningKey(): Promise<{ publicKey: string; privateKey: string }> {
  const pair = await crypto.subtle.generateKey(SIGNATURE, true, ["sign", "verify"]);
  const [raw, pkcs8] = await Promise.all([
    crypto.subtle.exportKey("raw", pair.publicKey),
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
  ]);
  return { publicKey: toBase64(new Uint8Array(raw)), privateKey: toBase64(new Uint8Array(pkcs8)) };
}

export function importSigningKey(privateKey: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", fromBase64(privateKey), SIGNATURE, false, ["sign"]);
}

export async function signBytes(signer: CryptoKey, signed: Bytes): Promise<Bytes> {
  return new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signer, signed),
  );
}

export async function sealToCentre(
  id: string,
  device: string,
  centre: CentreKey,
  signer: CryptoKey,
  content: unknown,
): Promise<SealedBox> {
  const info = toUtf8(`fieldapp sealed record 1|${id}|${device}|${centre.kid}`);
  const box = await sealHpke(fromBase64(centre.public), info, toUtf8(JSON.stringify(content)));
  return {
    device,
    kid: centre.kid,
    box,
    signature: await signBytes(signer, joinBytes(info, toUtf8("|"), box)),
  };
}
