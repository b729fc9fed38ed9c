/** Copies of sent records that are no longer the worker's to open here. */

import { findStanding, readCaseload } from "./caseload";
import { getAllRows, updateRow } from "./database";
import type { OutboxLine } from "./outbox";
import type { OutboxRow } from "./types";
import { seal, unseal, type Vault } from "./vault";

type Line = Pick<OutboxLine, "kind" | "area" | "root" | "stood">;

/** Leave of a record that was sent only that there was one. */
export async function forgetContent(vault: Vault, row: OutboxRow): Promise<void> {
  const line = await readDetails(vault, row);
  const { kind: _, area: __, stood: ___, ...rest } = line;
  const sealed = row.about && (await seal(vault.key, rest));
  await updateRow("outbox", row.id, ({ copy: ____, of: _____, ...before }) => ({
    ...before,
    about: sealed,
  }));
}

/**
 * Forget what the centre has no longer as it was sent: earlier versions of a record once the centre
 * has a newer one, and records about people who allow less by now than when they were made.
 */
export async function forgetOldCopies(vault: Vault): Promise<void> {
  const sent = (await getAllRows("outbox", vault.account.user))
    .filter(({ state }) => state === "delivered" || state === "kept")
    .sort((a, b) => b.seq - a.seq);
  const replaced = new Set<string>();
  for (const row of sent) {
    const line = await readDetails(vault, row);
    const root = line.root ?? row.id;
    const isOutdated = replaced.has(root) || (await isAboveStanding(vault, row, line));
    if (row.state === "delivered") replaced.add(root);
    if (isOutdated && (row.copy ?? row.of)) await forgetContent(vault, row);
  }
}

/** Whether a record's person allows less by now, or nothing; what they allow now is noted first. */
async function isAboveStanding(vault: Vault, row: OutboxRow, line: Line): Promise<boolean> {
  const code = row.of && (await unseal<string>(vault.key, row.of).catch(() => ""));
  const standing = code ? findStanding(await readCaseload(vault), code) : null;
  if (!standing) return false;
  if (line.stood !== undefined) return standing.tier < 1 || standing.tier < line.stood;
  if (standing.tier < 1) return true;
  // Nobody here knew how much the person allowed: from now on it is measured by this.
  const sealed = await seal(vault.key, { ...line, stood: standing.tier });
  await updateRow("outbox", row.id, (before) => ({ ...before, about: sealed }));
  return false;
}

async function readDetails(vault: Vault, { about }: OutboxRow): Promise<Line> {
  const line = about && (await unseal<Line>(vault.key, about).catch(() => null));
  return line ?? {};
}
