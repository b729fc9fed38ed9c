/** Which finished records are held back from sending, in any tab (see hold.ts). */

export const HOLD_PREFIX = "fieldapp-hold-";

/** Their ids. A hold is a lock of the browser, so it ends with whatever ends its tab. */
export async function listHeld(): Promise<Set<string>> {
  const snapshot = await globalThis.navigator?.locks?.query?.();
  const names = (snapshot?.held ?? []).map(({ name = "" }) => name);
  const holds = names.filter((name) => name.startsWith(HOLD_PREFIX));
  return new Set(holds.map((name) => name.slice(HOLD_PREFIX.length)));
}
