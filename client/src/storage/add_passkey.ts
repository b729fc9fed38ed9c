/** Setting up a passkey besides the PIN: not needed to open the app. */

import { randomBytes, toUtf8 } from "./bytes";
import { getRow, updateRow } from "./database";
import { deriveKeyFromPasskey } from "./passkeys";
import { deriveKeyFromPin, PinDisabled, seal, unseal, WrongPin, type Vault } from "./vault";

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
