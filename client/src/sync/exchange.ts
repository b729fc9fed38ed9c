/** Exchange with the centre: send what waits, fetch what changed. One exchange at a time on a phone, in any tab. */

import { keepForms, missing } from "../storage/forms";
import { listOutbox, markDelivered, waiting } from "../storage/records";
import { keepAccount, type Vault } from "../storage/vault";
import { fetchForm, fetchManifest, Offline, Refused, sendBatch, type Answer } from "./server";

const BATCH = 20;
const MAX_MESSAGE = 3_000_000; // characters of answers

export type Outcome = "online" | "offline" | "signed-out" | "busy";

/** Send and fetch; says how it went. What the centre has not confirmed stays on the phone. */
export async function exchange(vault: Vault): Promise<Outcome> {
  const run = async (): Promise<Outcome> => {
    try {
      await send(vault);
      await fetchChanges(vault);
      return "online";
    } catch (error) {
      if (error instanceof Offline) return "offline";
      if (error instanceof Refused) return error.code === "sync.token" ? "signed-out" : "offline";
      throw error;
    }
  };
  if (!navigator.locks) return run();
  const options = { ifAvailable: true } as const;
  return navigator.locks.request("fieldapp-exchange", options, (lock) =>
    lock ? run() : Promise.resolve("busy" as const),
  );
}

async function send(vault: Vault): Promise<void> {
  const unreadable = new Set<string>(); // stay on the phone, and never hold up the others
  let size = BATCH;
  for (;;) {
    const items = light(await waiting(vault, size, unreadable));
    if (items.length === 0) return;
    const unsent = (await listOutbox(vault)).filter((row) => row.state === "waiting").length;
    let answers: Answer[];
    try {
      answers = await sendBatch(vault.account.token, items, unsent - items.length);
    } catch (error) {
      if (!(error instanceof Refused) || error.code === "sync.token") throw error;
      // The centre cannot read the batch: find out which one it is, one by one.
      if (items.length === 1) unreadable.add(items[0]!.id);
      size = 1;
      continue;
    }
    let moved = 0;
    for (const item of items) {
      // Only an answer with the same id and the hash of the same bytes proves that the centre holds this record.
      const answer = answers.find((one) => one.id === item.id && one.sha256 === item.sha256);
      if (!answer || answer.status === "retry") continue;
      const isFine = answer.status === "stored" || answer.status === "duplicate";
      await markDelivered(item.id, isFine ? "delivered" : "kept", Date.now());
      moved += 1;
    }
    if (moved === 0) throw new Offline();
  }
}

/** As many as may travel in one message: pictures are heavy. */
function light<T extends { body: string }>(items: T[]): T[] {
  let weight = 0;
  return items.filter((item, index) => (weight += item.body.length) <= MAX_MESSAGE || index === 0);
}

async function fetchChanges(vault: Vault): Promise<void> {
  const { account } = vault;
  const manifest = await fetchManifest(account.token);
  const texts = new Map<string, string>();
  for (const form of await missing(account.user, manifest.forms)) {
    texts.set(form.sha256, await fetchForm(account.token, form.id, form.version));
  }
  await keepForms(account.user, manifest.forms, texts);
  if (account.centre !== manifest.centre || account.worker !== manifest.worker) {
    account.centre = manifest.centre;
    account.worker = manifest.worker;
    await keepAccount(vault);
  }
}
