/**
 * A health centre for tests: its keys, and what it does with what phones send. It opens and checks
 * with Node's own cryptography, written anew from RFC 9180, so that it proves the phone's.
 */

import {
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import type { Receipt } from "../src/storage/receipts";
import type { CentreKey, SealedBox } from "../src/storage/types";
import type { RecordAnswer, SealedItem } from "../src/sync/server";

const SUITE_KEM = Buffer.concat([Buffer.from("KEM"), Buffer.from([0x00, 0x10])]);
const SUITE = Buffer.concat([Buffer.from("HPKE"), Buffer.from([0, 0x10, 0, 1, 0, 2])]);

const hmac = (key: Buffer, data: Buffer): Buffer => createHmac("sha256", key).update(data).digest();

const extract = (suite: Buffer, salt: Buffer, label: string, input: Buffer): Buffer =>
  hmac(salt, Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), input]));

function expand(suite: Buffer, secret: Buffer, label: string, info: Buffer, size: number): Buffer {
  const length = Buffer.from([size >> 8, size & 255]);
  const input = Buffer.concat([length, Buffer.from("HPKE-v1"), suite, Buffer.from(label), info]);
  return hmac(secret, Buffer.concat([input, Buffer.from([1])])).subarray(0, size);
}

export class Centre {
  private readonly sealing = createECDH("prime256v1");
  private readonly signing: { publicKey: KeyObject; privateKey: KeyObject };
  position = 0;

  constructor(readonly name = "centre") {
    this.sealing.generateKeys();
    this.signing = generateKeyPairSync("ed25519");
  }

  /** What records are sealed to. */
  get key(): CentreKey {
    return { kid: `${this.name}-seal`, public: this.sealing.getPublicKey("base64") };
  }

  /** What the centre signs with. */
  get receipts(): CentreKey {
    const spki = this.signing.publicKey.export({ type: "spki", format: "der" });
    return { kid: `${this.name}-sign`, public: spki.subarray(-32).toString("base64") };
  }

  /** Open what was sealed to this centre; throws when a byte of it, or of its info, is another. */
  openHpke(info: Uint8Array, sealed: Uint8Array): Buffer {
    const sender = Buffer.from(sealed.subarray(0, 65));
    const shared = this.sealing.computeSecret(sender);
    const own = this.sealing.getPublicKey();
    const prk = extract(SUITE_KEM, Buffer.alloc(0), "eae_prk", shared);
    const kem = expand(SUITE_KEM, prk, "shared_secret", Buffer.concat([sender, own]), 32);
    const context = Buffer.concat([
      Buffer.from([0]),
      extract(SUITE, Buffer.alloc(0), "psk_id_hash", Buffer.alloc(0)),
      extract(SUITE, Buffer.alloc(0), "info_hash", Buffer.from(info)),
    ]);
    const secret = extract(SUITE, kem, "secret", Buffer.alloc(0));
    const key = expand(SUITE, secret, "key", context, 32);
    const nonce = expand(SUITE, secret, "base_nonce", context, 12);
    const opener = createDecipheriv("aes-256-gcm", key, nonce);
    opener.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([opener.update(sealed.subarray(65, -16)), opener.final()]);
  }

  /** The content of a sealed record. */
  openRecord(
    id: string,
    { device, kid, box }: Omit<SealedBox, "signature">,
  ): Record<string, unknown> {
    const info = Buffer.from(`fieldapp sealed record 1|${id}|${device}|${kid}`);
    return JSON.parse(this.openHpke(info, box).toString()) as Record<string, unknown>;
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.signing.privateKey).toString("base64");
  }

  /** The receipt of a record, for exactly these bytes; without an epoch as from older centres. */
  makeReceipt(id: string, box: Uint8Array, epoch?: number): Receipt {
    const at = "2026-11-23T12:00:00Z";
    const position = ++this.position;
    const hash = createHash("sha256").update(box).digest("hex");
    const signature = this.sign(`fieldapp receipt 1|${id}|${hash}|${at}|${position}`);
    if (epoch === undefined) return { at, position, kid: this.receipts.kid, signature };
    const proof = this.sign(`fieldapp receipt 2|${id}|${hash}|${at}|${epoch}|${position}`);
    return { at, position, epoch, kid: this.receipts.kid, signature, proof };
  }

  /** Store every record of a message, in an epoch where the centre has any. */
  takeAll(body: unknown, epoch?: number): RecordAnswer[] {
    const { items } = body as { items: SealedItem[] };
    return items.map(({ id, box }) => {
      const receipt = this.makeReceipt(id, Buffer.from(box, "base64"), epoch);
      return { id, sha256: "", status: "stored", receipt };
    });
  }
}

/** Whether a phone's key signed these bytes; the public key is an uncompressed point in base64. */
export function isSignedByPhone(
  publicKey: string,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const point = Buffer.from(publicKey, "base64");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
}
