/**
 * The real logic of a phone without its screens, as the fault harness runs it: one of these for
 * each app that is open.
 */

import { makeCardCode } from "../src/engine/cards";
import { Form } from "../src/engine/form";
import type { Json } from "../src/engine/types";
import { DateValue } from "../src/engine/values";
import { changeCaseload, readCaseload } from "../src/storage/caseload";
import { removeCompleted } from "../src/storage/caseload_updates";
import { randomBytes } from "../src/storage/bytes";
import { getAllRows } from "../src/storage/database";
import { findForm, listCurrentForms } from "../src/storage/forms";
import { draftCorrection } from "../src/storage/drafts";
import { finishDraft } from "../src/storage/finishing";
import { finishNote } from "../src/storage/notes";

import { countRecords } from "../src/storage/record_counts";
import { makeSigningKey } from "../src/storage/sealing";
import { deriveKeyFromPin, enrol, saveAccount, unlock, type Vault } from "../src/storage/vault";
import { deliver } from "../src/sync/deliver";
import { exchange, fetchManifestContent } from "../src/sync/exchange";
import { signIn } from "../src/sync/server";

const clock = (): DateValue => DateValue.ofClock(new Date());

/** Sign in as the gate does. */
export async function join(username: string, password: string): Promise<Vault> {
  const salt = randomBytes(16);
  const byPin = { salt, key: deriveKeyFromPin("246810", salt) };
  const keys = await makeSigningKey();
  const { token, device, user, worker, recovery, manifest } = await signIn(
    username,
    password,
    "Chaos",
    keys.publicKey,
  );
  const { centre, key = null, receipts = null, team = [], rules } = manifest;
  const account = {
    user,
    username,
    device,
    signer: keys.privateKey,
    token,
    worker,
    centre,
    key,
    receipts,
    team,
  };
  const vault = await enrol(
    { ...account, rules: rules!, listed: [], remembered: {} },
    byPin,
    recovery,
  );
  await fetchManifestContent(vault, manifest);
  return vault;
}

export const open = (user: number): Promise<Vault> => unlock(user, "246810");

/**
 * Finish a form as the screens do; gives what was finished. `spoil` changes the answers behind the
 * form's back.
 */
export async function finish(
  vault: Vault,
  filled: { id: string; form: string; answers: Json; root?: string; prev?: string[] },
  minted: string[],
  spoil: (answers: Json) => void,
): Promise<{ body: string; finishedAt: number }> {
  const { form } = filled;
  const forms = await listCurrentForms(vault.account.user);
  const definition = forms.find(({ id }) => id === form)!;
  const answers = new Form(definition, clock, filled.answers).finish();
  spoil(answers);
  const now = new Date();
  const { version } = definition;
  const draft = { ...filled, version, changedAt: now.getTime(), page: 0, answers, minted };
  await finishDraft(vault, draft, definition, now);
  return { body: JSON.stringify(answers), finishedAt: now.getTime() };
}

export const code = (): string => makeCardCode(randomBytes(8));
export {
  getAllRows,
  changeCaseload,
  deliver,
  draftCorrection,
  exchange,
  finishNote,
  findForm,
  saveAccount,
  countRecords,
  readCaseload,
  removeCompleted,
};
