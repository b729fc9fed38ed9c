/** The forms that this phone holds, as verified data. */

import type { FormDefinition, Words } from "../engine/definition";
import { all, transaction, type FormRow } from "./database";
import { sha256 } from "./records";

export interface Listed {
  id: string;
  version: string;
  title: Words;
  sha256: string;
}

/** Keep exactly the listed forms as current; `texts` holds those that the phone lacked. Older versions stay for drafts. */
export async function keepForms(user: number, listed: Listed[], texts: Map<string, string>): Promise<void> {
  const held = new Map((await all("forms", user)).map((row) => [row.key, row]));
  const rows: FormRow[] = [];
  for (const form of listed) {
    const key = `${user}/${form.id}/${form.version}`;
    const text = texts.get(form.sha256) ?? held.get(key)?.text ?? "";
    if ((await sha256(text)) !== form.sha256) throw new Error("A form did not arrive whole.");
    rows.push({ key, user, id: form.id, version: form.version, sha256: form.sha256, text, isCurrent: true });
  }
  const current = new Set(rows.map((row) => row.key));
  await transaction(["forms"], "readwrite", (tx) => {
    const store = tx.objectStore("forms");
    for (const row of held.values()) if (!current.has(row.key)) store.put({ ...row, isCurrent: false });
    for (const row of rows) store.put(row);
    return null;
  });
}

/** Which of the listed forms the phone holds with the right content. */
export async function missing(user: number, listed: Listed[]): Promise<Listed[]> {
  const rows = await all("forms", user);
  return listed.filter((form) => !rows.some((row) => row.id === form.id && row.sha256 === form.sha256));
}

export async function currentForms(user: number): Promise<FormDefinition[]> {
  const rows = await all("forms", user);
  return rows.filter((row) => row.isCurrent).map((row) => JSON.parse(row.text) as FormDefinition);
}

export async function formOf(user: number, id: string, version: string): Promise<FormDefinition | null> {
  const rows = await all("forms", user);
  const row = rows.find((one) => one.id === id && one.version === version);
  return row ? (JSON.parse(row.text) as FormDefinition) : null;
}

/** Check every current form against its hash: only then may the app say that it is ready offline. */
export async function areVerified(user: number): Promise<boolean> {
  const current = (await all("forms", user)).filter((row) => row.isCurrent);
  const checks = await Promise.all(current.map(async (row) => (await sha256(row.text)) === row.sha256));
  return current.length > 0 && checks.every(Boolean);
}
