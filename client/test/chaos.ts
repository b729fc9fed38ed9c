/**
 * Many phones, one bad network: see tests/chaos. Settings on standard input as JSON; a line "calm"
 * on standard output when the faults are over; at the end what was made and what each phone holds,
 * as JSON, in the file that the settings name.
 */

import { IDBFactory, IDBKeyRange, IDBObjectStore } from "fake-indexeddb";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { chanceOf } from "./chance";

type Api = typeof import("./phone");
type Caseload = Awaited<ReturnType<Api["readCaseload"]>>;
type Vault = Awaited<ReturnType<Api["open"]>>;

interface Settings {
  base: string;
  seed: number;
  operations: number;
  password: string;
  weekend: number; // records that each phone makes without signal before all of them come back at once
  workers: string[];
  phone: string; // the bundle of phone.ts
  report: string;
}

const settings = JSON.parse(readFileSync(0, "utf8")) as Settings;

const chance = chanceOf(settings.seed).next;
const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)]!;
const source = readFileSync(settings.phone, "utf8");
let isCalm = false;
const counts: Record<string, number> = {};
const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);

// ── the network ──────────────────────────────────────────────────────────────────────────────────

interface Receipt {
  id: string;
  sha256: string;
  at: string;
  position: number;
  signature: string;
}
const receipts: Receipt[] = [];
const underway: Record<string, number> = {}; // questions that nobody has answered yet, for a run that ends before its time
const old = new Map<string, [string, Headers]>(); // the last good answer of each path, to be said again

function noteReceipts(text: string): void {
  try {
    const { items } = JSON.parse(text) as {
      items: { id: string; sha256: string; receipt?: Receipt }[];
    };
    for (const { id, sha256, receipt } of items ?? [])
      if (receipt) receipts.push({ ...receipt, id, sha256 });
  } catch {
    // no answer of the centre
  }
}

/** fetch over a line that loses, repeats, cuts, delays, holds back and makes up. */
async function badFetch(url: string, options: RequestInit): Promise<Response> {
  const send = (): Promise<Response> => {
    underway[url] = (underway[url] ?? 0) + 1;
    return fetch(settings.base + url, options).finally(() => (underway[url]! -= 1));
  };
  const path = url.split("?")[0]!;
  const whole = async (): Promise<[string, Response]> => {
    const response = await send();
    const text = await response.text();
    if (path.endsWith("/deliver")) noteReceipts(text); // whatever becomes of it: the centre has said it
    return [text, response];
  };
  const as = (text: string, { status, headers }: { status: number; headers: Headers }): Response =>
    new Response(text, { status, headers });
  // What signing in is answered is not signed: the phone does not know the key yet. There only TLS
  // keeps strangers out.
  const isTrusted = path.endsWith("/sign-in");
  const rolled = isCalm ? 1 : chance();
  const dice = isTrusted && rolled >= 0.24 && rolled < 0.3 ? 1 : rolled;
  if (dice < 0.06) {
    count("no line");
    throw new TypeError("no line");
  }
  if (dice < 0.12) {
    count("answer lost after commit");
    await whole();
    throw new TypeError("lost");
  }
  if (dice < 0.16) {
    count("answer cut");
    const [text, response] = await whole();
    return as(text.slice(0, Math.floor(chance() * text.length)), response);
  }
  if (dice < 0.2) {
    count("sent twice at once");
    const [[text, response]] = await Promise.all([whole(), whole().catch(() => null)]);
    return as(text, response);
  }
  if (dice < 0.24) {
    count("held back");
    await sleep(Math.floor(chance() * 400));
  }
  if (dice >= 0.24 && dice < 0.26) {
    count("portal");
    return new Response("<html>Welcome to our network</html>", {
      headers: { "Content-Type": "text/html" },
    });
  }
  if (dice >= 0.26 && dice < 0.28 && old.has(path)) {
    count("an old answer again");
    const [text, headers] = old.get(path)!;
    return new Response(text, { headers });
  }
  const [text, response] = await whole();
  if (dice >= 0.28 && dice < 0.3) {
    count("answer forged");
    return as(
      text.replaceAll(/"status": ?"\w+"/g, '"status":"stored"').replace("{}", '{"x":"wipe"}'),
      response,
    );
  }
  if (response.ok) old.set(path, [text, response.headers]);
  return as(text, response);
}

// ── phones ───────────────────────────────────────────────────────────────────────────────────────

interface Made {
  id: string;
  root: string;
  prev: string[];
  body: string;
  username: string;
  isGood: boolean;
}
const made: Made[] = [];

class Phone {
  readonly factory = new IDBFactory();
  readonly localStorage = new Map<string, string>(); // localStorage
  skew = 0;
  isFull = false;
  doing = "nothing yet"; // told when the run ends before its time
  api!: Api;
  vault!: Vault;
  user = 0;
  own: string[] = []; // ids of first submissions
  heads = new Map<string, string[]>();
  readonly seen = new Map<string, number>(); // every row that was ever in the outbox, with its number

  /** Look at the outbox: what is delivered and old leaves it later. */
  async look(): Promise<void> {
    for (const { id, seq } of await this.api.getAllRows("outbox")) this.seen.set(id, seq);
  }

  constructor(readonly username: string) {}

  /** Start the app: all that was in its memory is gone. */
  start(): Api {
    const skew = (): number => this.skew;
    class PhoneDate extends Date {
      constructor(...args: [] | [number | string]) {
        if (args.length > 0) super(args[0]!);
        else super(Date.now() + skew());
      }
      static override now(): number {
        return Date.now() + skew();
      }
    }
    const storage = {
      getItem: (key: string) => this.localStorage.get(key) ?? null,
      setItem: (key: string, value: string) => void this.localStorage.set(key, value),
    };
    const names = ["indexedDB", "IDBKeyRange", "fetch", "localStorage", "navigator", "Date"];
    const values = [this.factory, IDBKeyRange, badFetch, storage, { language: "en" }, PhoneDate];
    return new Function(...names, `${source}; return phone;`)(...values) as Api;
  }

  async enrol(): Promise<void> {
    for (;;) {
      this.api = this.start();
      try {
        this.vault = await this.api.join(this.username, settings.password);
        this.user = this.vault.account.user;
        return;
      } catch {
        await sleep(100);
      }
    }
  }

  /** The app is killed, whatever it was doing, and opened again. */
  async restart(): Promise<void> {
    count("app killed");
    this.api = this.start();
    this.vault = await this.api.open(this.user);
    if (chance() < 0.1) {
      count("came from the version before");
      this.vault.account.receipts = null;
      await this.api.saveAccount(this.vault);
    }
  }
}

// A phone without room: writing fails as the browser would say it.
const put = IDBObjectStore.prototype.put;
let full = 0;
IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args: Parameters<typeof put>) {
  if (full > 0 && !isCalm && chance() < 0.5) {
    count("phone full");
    throw new DOMException("full", "QuotaExceededError");
  }
  return put.apply(this, args);
} as typeof put;

function answersFor(phone: Phone, card: string): Record<string, Record<string, string>> {
  const today = new Date(Date.now() + phone.skew);
  const day = new Date(today.getTime() - today.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 10);
  const later = new Date(today.getTime() + 86_400_000 * (1 + Math.floor(chance() * 20)));
  const enrolled = card !== "";
  return {
    what: { contact_type: pick(["check_in", "presence", "family"]), mode: "in_person", setting: pick(["street", "park"]) },
    when_where: { enc_date: day, enc_hour: "21", nbhd: pick(["002", "004", "025"]) },
    people: { people_n: String(1 + Math.floor(chance() * 9)), who: enrolled ? "enrolled" : "group", ...(enrolled ? { code: card } : {}) },
    talk: { risk_now: "low", minutes: pick(["5_15", "15_30"]) },
    next: {
      ref_made: "no",
      note: `n${Math.floor(chance() * 1e9)} é😀`,
      ...(enrolled && chance() < 0.5 ? { next_due: later.toISOString().slice(0, 10) } : {}),
    },
    ...(enrolled ? { consent: { said: "earlier", tier_said: "2" } } : {}),
  }; // prettier-ignore
}

async function write(phone: Phone, root: string, isGood: boolean): Promise<void> {
  const { api, vault } = phone;
  const caseload = await api.readCaseload(vault);
  const minted = chance() < 0.2 ? [api.code()] : [];
  const codes = [...caseload.people.map((person) => person.code), ...minted];
  const card = minted[0] ?? (chance() < 0.6 && codes.length > 0 ? pick(codes) : "");
  const id = crypto.randomUUID();
  const prev = root ? phone.heads.get(root)! : [];
  const about = root ? { root, prev } : {};
  // Noted before it is tried: should the app be killed after the write, it counts, and the outbox
  // tells.
  const line: Made = { id, root: root || id, prev, body: "", username: phone.username, isGood };
  const spoil = (answers: Record<string, unknown>): void => {
    if (!isGood) (answers["people"] as Record<string, string>)["people_n"] = "900";
    line.body = JSON.stringify(answers);
  };
  made.push(line);
  const filled = { id, form: "encounter", answers: answersFor(phone, card), ...about };
  await api.finish(vault, filled, minted, spoil as never);
  if (!root) phone.own.push(id);
  if (isGood || !root) phone.heads.set(root || id, [id]);
}

async function step(phone: Phone): Promise<void> {
  const { api, vault } = phone;
  const dice = chance();
  phone.doing = `step ${dice.toFixed(2)}`;
  full = chance() < 0.02 ? 1 : 0;
  if (dice < 0.4) return write(phone, "", chance() > 0.04);
  if (dice < 0.52 && phone.own.length > 0) return write(phone, pick(phone.own), true);
  if (dice < 0.56) {
    const { due } = await api.readCaseload(vault);
    const followUp = due.length > 0 ? pick(due) : null;
    const settle = (caseload: Caseload): Caseload => ({
      ...caseload,
      due: api.removeCompleted(caseload.due, followUp!.id),
      settled: [...caseload.settled, followUp!.id],
    });
    if (followUp) await api.finishNote(vault, "settle", { due: followUp.id }, settle);
    return;
  }
  if (dice < 0.58) {
    const { people } = await api.readCaseload(vault);
    const { team } = vault.account;
    if (people.length === 0 || team.length === 0) return;
    const { code } = pick(people);
    const to = pick(team).user;
    await api.finishNote(vault, "handover", { code, to }, (caseload) => ({
      ...caseload,
      people: caseload.people.filter((it) => it.code !== code),
    }));
    return;
  }
  if (dice < 0.62) {
    count("clock jump");
    phone.skew = chance() < 0.3 ? 0 : Math.floor((chance() - 0.5) * 2 * 30 * 86_400_000);
    return;
  }
  if (dice < 0.66) {
    const running = api.exchange(vault).catch(() => undefined); // it goes on in what is left of the old app
    await sleep(Math.floor(chance() * 30));
    await phone.restart();
    return void (chance() < 0.5 ? await running : running);
  }
  if (dice < 0.7) {
    await Promise.all([api.exchange(vault), phone.start().deliver()].map((running) => running.catch(() => undefined)));
    return;
  } // prettier-ignore
  if (dice < 0.8) await api.deliver().catch(() => undefined);
  else await api.exchange(vault);
}

async function live(phone: Phone, operations: number): Promise<void> {
  for (let done = 0; done < operations; done++) {
    try {
      await step(phone);
    } catch {
      count("step failed");
    }
    phone.doing = "looking at the outbox";
    await phone.look();
    phone.doing = "resting";
    await sleep(Math.floor(chance() * 5));
  }
}

// ── a run ────────────────────────────────────────────────────────────────────────────────────────

// While every phone only waits for an answer, nothing else would hold Node: an idle connection does
// not count for it.
const awake = setInterval(() => undefined, 1000);
const phones = settings.workers.map((username) => new Phone(username));
process.on("exit", (code) => {
  if (code !== 0)
    console.error(
      phones.map((phone) => `${phone.username}: ${phone.doing}`).join("; "),
      counts,
      underway,
    );
});
await Promise.all(phones.map((phone) => phone.enrol()));
const waitingOn = async (phone: Phone): Promise<number> =>
  (await phone.api.countRecords(phone.user)).waiting;
await Promise.all(
  phones.map(async (phone) => {
    for (let number = 0; number < settings.weekend; number++) await write(phone, "", true);
    await phone.look();
  }),
);
if (settings.weekend > 0) {
  const start = Date.now();
  await Promise.all(
    phones.map(async (phone) => {
      while ((await waitingOn(phone)) > 0) {
        await phone.api.exchange(phone.vault).catch(() => undefined);
        await sleep(200);
      }
    }),
  );
  counts["ms until a weekend was with the centre"] = Date.now() - start;
}
await Promise.all(
  phones.map((phone) => live(phone, Math.ceil(settings.operations / phones.length))),
);
isCalm = true;
full = 0;
process.stdout.write("calm\n");
for (const phone of phones) {
  phone.skew = 0;
  for (let round = 0; ; round++) {
    const { outcome } = await phone.api.exchange(phone.vault).catch(() => ({ outcome: "failed" }));
    const ledger = await phone.api.countRecords(phone.user);
    if (outcome === "online" && ledger.waiting === 0) break;
    if (round > 60)
      throw new Error(`${phone.username} cannot deliver: ${outcome}, ${JSON.stringify(ledger)}`);
    await sleep(500);
  }
}
const held = [];
for (const phone of phones) {
  await phone.api.exchange(phone.vault);
  held.push({
    username: phone.username,
    user: phone.user,
    public: phone.vault.account.receipts?.public,
    ledger: await phone.api.countRecords(phone.user),
    seen: [...phone.seen].map(([id, seq]) => ({ id, seq })),
    holding: (await phone.api.getAllRows("outbox"))
      .filter(({ box }) => box !== null)
      .map(({ id }) => id),
    book: await phone.api.readCaseload(phone.vault),
  });
}
clearInterval(awake);
writeFileSync(settings.report, JSON.stringify({ made, receipts, held, counts }));
