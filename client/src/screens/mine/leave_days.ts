/** What is left for the service worker to remind of: days, and nothing about anybody. */

import { t } from "../../i18n";
import type { Caseload } from "../../storage/caseload";
import { leaveReminders } from "../../storage/reminders";
import type { Vault } from "../../storage/vault";
import { getLocalDay } from "../day";
import { hideShown, mayNotify } from "./reminding";

const MOST = 100; // days

let before: { vault: Vault | null; text: string } = { vault: null, text: "" };

/**
 * Leave the days to come on which something is due, in place of all that was left before, also of
 * another worker. Today is none of them: the app is open.
 */
export async function leaveDays(vault: Vault, caseload: Caseload): Promise<void> {
  const { due, reminds } = caseload;
  const { user } = vault.account;
  const today = getLocalDay();
  const coming = due.map(({ on }) => on).filter((on) => on > today);
  const days = reminds && mayNotify() ? [...new Set(coming)].sort().slice(0, MOST) : [];
  const row = { user, days, words: t("You have something due today.") };
  const text = JSON.stringify(row);
  if (before.vault === vault && before.text === text) return;
  before = { vault, text };
  await leaveReminders(row);
  await hideShown();
}
