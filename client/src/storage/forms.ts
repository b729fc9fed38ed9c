/** The forms and areas that this phone holds, as verified data. */

import type { FormDefinition, Words } from "../engine/definition";
import type { Outlines } from "../engine/areas";
import { loadFunctions } from "../engine/load_functions";
import { ENCOUNTER, findFormWithRole } from "../engine/roles";
import { sha256, toUtf8 } from "./bytes";
import type { ManifestEntry } from "./vault";
import { getAllRows, getRow, runTransaction } from "./database";
import type { AreasRow, FormRow } from "./types";

const hashText = (text: string): Promise<string> => sha256(toUtf8(text));

export interface ListedForm {
  id: string;
  role?: string; // absent from centres before there were roles
  version: string;
  title: Words;
  sha256: string;
}

/**
 * Keep the listed forms as current and no others; `texts` holds those that the phone lacked. Older
 * versions stay for drafts. A form that has not come yet is passed over.
 */
export async function saveForms(
  user: number,
  listed: ListedForm[],
  texts: Map<string, string>,
): Promise<void> {
  const stored = new Map((await getAllRows("forms", user)).map((row) => [row.key, row]));
  const rows: FormRow[] = [];
  for (const form of listed) {
    const key = `${user}/${form.id}/${form.version}`;
    const text = texts.get(form.sha256) ?? stored.get(key)?.text;
    if (text === undefined) continue;
    if ((await hashText(text)) !== form.sha256) {
      if (texts.has(form.sha256)) throw new Error("A form did not arrive whole.");
      continue; // damaged here; its turn to be fetched comes
    }
    rows.push({
      key,
      user,
      id: form.id,
      version: form.version,
      sha256: form.sha256,
      text,
      isCurrent: true,
    });
  }
  const current = new Set(rows.map((row) => row.key));
  const gone = [...stored.values()].filter((row) => row.isCurrent && !current.has(row.key));
  const fresh = rows.filter(
    ({ key, text }) => !stored.get(key)?.isCurrent || stored.get(key)!.text !== text,
  );
  if (gone.length + fresh.length === 0) return;
  await runTransaction(["forms"], "readwrite", (tx) => {
    const store = tx.objectStore("forms");
    for (const row of gone) store.put({ ...row, isCurrent: false });
    for (const row of fresh) store.put(row);
    return null;
  });
}

/** The form that workers fill most: it comes first over a bad line, and has the large button. */
export function findMainForm<T extends { id: string; role?: string | undefined }>(
  forms: T[],
): T | undefined {
  return findFormWithRole(forms, ENCOUNTER) ?? forms[0];
}

/** The hashes of what is really there, whatever was noted beside it. */
async function readStoredHashes(rows: { text: string }[]): Promise<Set<string>> {
  return new Set(await Promise.all(rows.map((row) => hashText(row.text))));
}

/** Which of the listed forms the phone lacks, or holds damaged. */
export async function findMissingForms(user: number, listed: ListedForm[]): Promise<ListedForm[]> {
  const stored = await readStoredHashes(await getAllRows("forms", user));
  return listed.filter((form) => !stored.has(form.sha256));
}

export async function listCurrentForms(user: number): Promise<FormDefinition[]> {
  const rows = (await getAllRows("forms", user)).filter((row) => row.isCurrent);
  await Promise.all(rows.map((row) => loadFunctions(row.text)));
  return rows.flatMap((row) => {
    try {
      return [JSON.parse(row.text) as FormDefinition];
    } catch {
      return []; // damaged: it fails its check too, and is fetched anew
    }
  });
}

export async function findForm(
  user: number,
  id: string,
  version: string,
): Promise<FormDefinition | null> {
  const rows = await getAllRows("forms", user);
  const row = rows.find((form) => form.id === id && form.version === version);
  if (!row) return null;
  await loadFunctions(row.text);
  return JSON.parse(row.text) as FormDefinition;
}

/**
 * Check that all that the centre listed is here and whole: only then may the app say that it is
 * ready offline.
 */
export async function areVerified(user: number, listed: ManifestEntry[]): Promise<boolean> {
  const forms = (await getAllRows("forms", user)).filter((row) => row.isCurrent);
  const areas = await getAllRows("areas", user);
  const checks = listed.map(async ({ kind, id, sha256: hash }) => {
    const row =
      kind === "form"
        ? forms.find((form) => form.id === id)
        : areas.find(({ name }) => name === id);
    return row !== undefined && (await hashText(row.text)) === hash;
  });
  return forms.length > 0 && listed.length > 0 && (await Promise.all(checks)).every(Boolean);
}

type ListedAreas = { key: string; sha256: string };

export async function findMissingAreas(
  user: number,
  listed: ListedAreas[],
): Promise<ListedAreas[]> {
  const stored = await readStoredHashes(await getAllRows("areas", user));
  return listed.filter((areas) => !stored.has(areas.sha256));
}

/** Keep exactly the listed areas; `texts` holds those that the phone lacked, by their name. */
export async function saveAreas(
  user: number,
  listed: ListedAreas[],
  texts: Map<string, string>,
): Promise<void> {
  const stored = await getAllRows("areas", user);
  const rows: AreasRow[] = [];
  for (const { key: name, sha256: hash } of listed) {
    const text = texts.get(name);
    if (text === undefined) continue;
    if ((await hashText(text)) !== hash) throw new Error("A set of areas did not arrive whole.");
    rows.push({ key: `${user}/${name}`, user, name, sha256: hash, text });
  }
  const gone = stored.filter((row) => !listed.some((areas) => areas.key === row.name));
  if (rows.length + gone.length === 0) return;
  await runTransaction(["areas"], "readwrite", (tx) => {
    for (const row of rows) tx.objectStore("areas").put(row);
    for (const row of gone) tx.objectStore("areas").delete(row.key);
    return null;
  });
}

/** The outlines that belong to a choice list; null when the centre has brought in none. */
export async function findOutlines(user: number, name: string): Promise<Outlines | null> {
  const row = await getRow("areas", `${user}/${name}`);
  return row ? (JSON.parse(row.text) as Outlines) : null;
}

/** The names of the choice lists that have outlines here. */
export async function listAreaLists(user: number): Promise<string[]> {
  return (await getAllRows("areas", user)).map((row) => row.name);
}
