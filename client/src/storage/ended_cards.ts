/** A person who took everything back: what this phone has begun about them goes. */

import { parseCardCode } from "../engine/cards";
import { readRole } from "../engine/roles";
import type { Json } from "../engine/types";
import { getAllRows, updateRow } from "./database";
import type { Draft } from "./drafts";
import { findForm } from "./forms";
import { forgetContent } from "./old_copies";
import { closeOutboxRow } from "./outbox";
import { seal, unseal, type Vault } from "./vault";

/**
 * Erase records about these cards that were not sent, and what is left here of those that were; the
 * counters go on counting them. Return the drafts about them, to be erased with what says that the
 * cards ended.
 */
export async function eraseUnsent(vault: Vault, codes: string[]): Promise<string[]> {
  const isEnded = (code: string): boolean => codes.includes(code);
  for (const row of await getAllRows("outbox", vault.account.user)) {
    const code = row.of && (await unseal<string>(vault.key, row.of).catch(() => ""));
    if (!code || !isEnded(code)) continue;
    if (row.state === "waiting") await closeOutboxRow(row.id, "deleted", 1, { isEnded: true });
    else await forgetContent(vault, row);
  }
  const ended: string[] = [];
  for (const row of await getAllRows("drafts", vault.account.user)) {
    const draft = await unseal<Draft>(vault.key, row.sealed).catch(() => null);
    if (draft && (await isAbout(vault, draft, isEnded))) {
      ended.push(row.id);
      await closeOutboxRow(row.id, "deleted", 1, { isEnded: true }); // it was finished once, and taken back
    } else if (codes.some((code) => draft?.heads?.[code])) {
      const heads = Object.entries(draft!.heads!).filter(([code]) => !isEnded(code));
      const sealed = await seal(vault.key, { ...draft, heads: Object.fromEntries(heads) });
      await updateRow("drafts", row.id, (before) => ({ ...before, sealed }));
    }
  }
  return ended;
}

/** Whether a draft is about such a card; without its form, whether any answer of it is its code. */
async function isAbout(
  { account: { user } }: Vault,
  { form, version, answers }: Draft,
  isEnded: (code: string) => boolean,
): Promise<boolean> {
  const definition = await findForm(user, form, version);
  if (definition) return isEnded(parseCardCode(readRole(definition, answers, "person")));
  const hasCode = (value: Json[string]): boolean =>
    typeof value === "string"
      ? isEnded(parseCardCode(value))
      : Object.values(value).some((inner: Json[string]) => hasCode(inner));
  return hasCode(answers);
}
