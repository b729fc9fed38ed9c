/** Open vaults for tests, made without a PIN: deriving a key from one is slow on purpose. */

import { putRow } from "../src/storage/database";
import { importSigningKey, makeSigningKey } from "../src/storage/sealing";
import type { VaultRow } from "../src/storage/types";
import { DEFAULT_RULES, seal, type Account, type Vault } from "../src/storage/vault";
import type { Centre } from "./centre";

export interface TestVault extends Vault {
  readonly publicKey: string; // with which the centre checks what this phone signs
}

export async function makeVault(
  centre: Centre | null,
  account: Partial<Account> = {},
): Promise<TestVault> {
  const keys = await makeSigningKey();
  const algorithm = { name: "AES-GCM", length: 256 };
  const key = await crypto.subtle.generateKey(algorithm, false, ["encrypt", "decrypt"]);
  return {
    key,
    publicKey: keys.publicKey,
    signer: await importSigningKey(keys.privateKey),
    account: {
      user: 7,
      username: "amina",
      device: "device-7",
      signer: keys.privateKey,
      token: "token-7",
      worker: "Amina",
      centre: "Rexdale",
      key: centre?.key ?? null,
      receipts: centre?.receipts ?? null,
      team: [],
      rules: { ...DEFAULT_RULES },
      listed: [],
      remembered: {},
      ...account,
    },
  };
}

/** Store the row of a vault, as joining does; nothing but a test opens it. */
export async function storeVault(vault: Vault, row: Partial<VaultRow> = {}): Promise<void> {
  const { account } = vault;
  const sealed = await seal(vault.key, account);
  await putRow("vaults", {
    user: account.user,
    username: account.username,
    device: account.device,
    shredDays: account.rules.shred_days,
    receipts: account.receipts,
    base: { made: 0, deleted: 0 },
    salt: new Uint8Array(16),
    iterations: 1,
    byPin: sealed,
    byPasskey: null,
    byRecovery: sealed,
    account: sealed,
    tries: 0,
    notBefore: 0,
    ...row,
  });
}
