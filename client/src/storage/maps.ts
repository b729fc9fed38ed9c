/**
 * The centre's last maps of where and when, sealed like everything else: they are for staff, and a
 * phone can be taken.
 */

import { getRow, putRow } from "./database";
import { seal, unseal, type Vault } from "./vault";

export interface Maps<Spots = unknown> {
  maps: Record<"week" | "month", Spots | null>;
  viewer: string;
}

/** Which maps this phone holds; "" for none. */
export async function readMapVersion(user: number): Promise<string> {
  return (await getRow("maps", user))?.mark ?? "";
}

export async function saveMaps(vault: Vault, mark: string, maps: Maps): Promise<void> {
  await putRow("maps", { user: vault.account.user, mark, sealed: await seal(vault.key, maps) });
}

export async function readMaps<Spots>(vault: Vault): Promise<Maps<Spots> | null> {
  const row = await getRow("maps", vault.account.user);
  return row?.mark ? unseal<Maps<Spots>>(vault.key, row.sealed).catch(() => null) : null;
}
