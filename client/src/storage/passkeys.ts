/**
 * A passkey besides the PIN: the phone's own lock (finger, face) gives the key, by WebAuthn's prf
 * extension.
 */

import { randomBytes, toUtf8, type Bytes } from "./bytes";
import { getRow, updateRow } from "./database";
import {
  deriveKeyFromPin,
  openVault,
  PinDisabled,
  seal,
  unseal,
  WrongPin,
  type Vault,
} from "./vault";

type Prf = { prf?: { enabled?: boolean; results?: { first: ArrayBuffer } } };

async function deriveKeyFromPasskey(id: BufferSource, salt: Bytes): Promise<CryptoKey> {
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

/**
 * Let the phone's own lock open this vault too. `pin` proves who asks. Raise WrongPin when the
 * phone cannot do this.
 */
export async function addPasskey(vault: Vault, pin: string): Promise<void> {
  const { user, username } = vault.account;
  const row = await getRow("vaults", user);
  if (!row?.byPin) throw new PinDisabled();
  const raw = await unseal<number[]>(
    await deriveKeyFromPin(pin, row.salt, row.iterations),
    row.byPin,
  ).catch(() => {
    throw new WrongPin();
  });
  const passkey = (await navigator.credentials.create({
    publicKey: {
      rp: { name: "fieldapp" },
      user: { id: toUtf8(String(user)), name: username, displayName: username },
      challenge: randomBytes(32),
      pubKeyCredParams: [
        { type: "public-key", alg: -7 },
        { type: "public-key", alg: -257 },
      ],
      authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
      extensions: { prf: {} },
    },
  })) as PublicKeyCredential;
  const salt = randomBytes(32);
  const sealed = await seal(await deriveKeyFromPasskey(passkey.rawId, salt), raw);
  await updateRow("vaults", user, (row) => ({
    ...row,
    byPasskey: { id: passkey.rawId, salt, sealed },
  }));
}

export async function unlockByPasskey(user: number): Promise<Vault> {
  const row = await getRow("vaults", user);
  if (!row?.byPasskey) throw new PinDisabled();
  const { id, salt, sealed } = row.byPasskey;
  return openVault(row, await unseal<number[]>(await deriveKeyFromPasskey(id, salt), sealed));
}
