/**
 * A passkey besides the PIN: the phone's own lock (finger, face) gives the key, by WebAuthn's prf
 * extension.
 */

import { randomBytes, toUtf8, type Bytes } from "./bytes";
import { getRow } from "./database";
import { openVault, PinDisabled, unseal, WrongPin, type Vault } from "./vault";

type Prf = { prf?: { enabled?: boolean; results?: { first: ArrayBuffer } } };

export async function deriveKeyFromPasskey(id: BufferSource, salt: Bytes): Promise<CryptoKey> {
  const options = {
    challenge: randomBytes(32),
    allowCredentials: [{ id, type: "public-key" as const }],
    userVerification: "required" as const,
    extensions: { prf: { eval: { first: salt } } },
  };
  const credential = (await navigator.credentials.get({
    publicKey: options,
  })) as PublicKeyCredential;
  const secret = (credential.getClientExtensionResults() as Prf).prf?.results?.first;
  if (!secret) throw new WrongPin();
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const algorithm = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(0),
    info: toUtf8("fieldapp passkey"),
  };
  return crypto.subtle.deriveKey(algorithm, material, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

export async function unlockByPasskey(user: number): Promise<Vault> {
  const row = await getRow("vaults", user);
  if (!row?.byPasskey) throw new PinDisabled();
  const { id, salt, sealed } = row.byPasskey;
  return openVault(row, await unseal<number[]>(await deriveKeyFromPasskey(id, salt), sealed));
}
