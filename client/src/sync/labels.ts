/**
 * A worker's own labels for cards, kept sealed at the centre: what changed here is sent, what
 * another phone sealed is opened. A piece of its own, for which nobody waits.
 */

import { type Caseload, changeCaseload, readCaseload } from "../storage/caseload";
import { deriveLabelKey, openLabel, sealLabel } from "../storage/label_seal";
import { saveAccount, type Vault } from "../storage/vault";
import { sendLabels } from "./server";

interface OpenedLabel {
  code: string;
  sealed: string;
  label: string;
}

/** Remember the key of a password: with it labels are sealed from now on, those of before too. */
export async function learnPassword(vault: Vault, password: string): Promise<void> {
  await learnKey(vault, await deriveLabelKey(password, vault.account.labelSalt ?? ""));
}

async function learnKey(vault: Vault, key: string): Promise<void> {
  const { account } = vault;
  if (key === account.labelKey) return;
  account.labelKey = key;
  await saveAccount(vault);
  await changeCaseload(vault, (caseload) => ({ ...caseload, keptLabels: {} }));
}

/**
 * Open the labels that a password of before sealed; false when it opens none. Where this phone has
 * no password yet, it is the one from now on.
 */
export async function openWithPassword(vault: Vault, password: string): Promise<boolean> {
  const key = await deriveLabelKey(password, vault.account.labelSalt ?? "");
  const opened = await openLabels(vault, key);
  if (opened.length === 0) return false;
  if (!vault.account.labelKey) await learnKey(vault, key);
  await changeCaseload(vault, (caseload) => takeLabels(caseload, opened));
  return true;
}

/** Do without the labels that this phone cannot open; the centre deletes them. */
export async function forgetSealedLabels(vault: Vault): Promise<void> {
  const { sealedLabels } = await readCaseload(vault);
  const blank = Object.fromEntries(Object.keys(sealedLabels).map((code) => [code, ""]));
  await send(vault, blank, blank);
}

/** Open what other phones sealed, and send what changed on this one. */
export async function exchangeLabels(vault: Vault): Promise<void> {
  const { labelKey, user } = vault.account;
  if (!labelKey) return;
  const opened = await openLabels(vault, labelKey);
  if (opened.length > 0) await changeCaseload(vault, (caseload) => takeLabels(caseload, opened));
  const changed = listChanged(await readCaseload(vault));
  const sealed: Record<string, string> = {};
  for (const [code, label] of Object.entries(changed))
    sealed[code] = label && (await sealLabel(labelKey, { user, code }, label));
  if (Object.keys(changed).length > 0) await send(vault, sealed, changed);
}

async function openLabels(vault: Vault, key: string): Promise<OpenedLabel[]> {
  const { user } = vault.account;
  const opened: OpenedLabel[] = [];
  for (const [code, sealed] of Object.entries((await readCaseload(vault)).sealedLabels)) {
    const label = await openLabel(key, { user, code }, sealed);
    if (label !== null) opened.push({ code, sealed, label });
  }
  return opened;
}

/** The caseload with labels of other phones; what was changed here and not sent yet stays. */
function takeLabels(caseload: Caseload, opened: OpenedLabel[]): Caseload {
  const sealedLabels = { ...caseload.sealedLabels };
  const keptLabels = { ...caseload.keptLabels };
  let people = caseload.people;
  for (const { code, sealed, label } of opened) {
    if (sealedLabels[code] !== sealed) continue; // another came meanwhile
    delete sealedLabels[code];
    const before = keptLabels[code] ?? "";
    keptLabels[code] = label;
    people = people.map((person) =>
      person.code === code && person.label === before ? { ...person, label } : person,
    );
  }
  return { ...caseload, people, sealedLabels, keptLabels };
}

/** The labels that the centre does not have yet, of cards that it knows. */
function listChanged({ people, told, keptLabels }: Caseload): Record<string, string> {
  const changed = people.filter(
    ({ code, label }) => told[`card/${code}`] && label !== (keptLabels[code] ?? ""),
  );
  return Object.fromEntries(changed.map(({ code, label }) => [code, label]));
}

/** Hand sealed labels over; note of those that were kept what they say. */
async function send(
  { account, ...rest }: Vault,
  sealed: Record<string, string>,
  labels: Record<string, string>,
): Promise<void> {
  const kept = await sendLabels(account.token, account.receipts, sealed);
  await changeCaseload({ account, ...rest }, (caseload) => {
    const sealedLabels = { ...caseload.sealedLabels };
    const keptLabels = { ...caseload.keptLabels };
    for (const code of kept) {
      delete sealedLabels[code];
      keptLabels[code] = labels[code] ?? "";
    }
    return { ...caseload, sealedLabels, keptLabels };
  });
}
