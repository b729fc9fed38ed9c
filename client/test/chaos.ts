/**
 * Many phones, one bad network: see tests/chaos. Settings on standard input as JSON; lines "joined"
 * and "calm" on standard output, when all phones have joined and when the faults are over; at the
 * end what was made and what each phone holds, as JSON, in the file that the settings name.
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
  weekend: number; // records that each phone makes without signal before all come back at once
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
  epoch: number;
  signature: string;
  proof: string;
}
const receipts: Receipt[] = [];
// Questions that nobody has answered yet, for a run that ends before its time.
const underway: Record<string, number> = {};
const old = new Map<string, [string, Headers]>(); // the last good answer of each path

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

/** One call of a phone to the centre. */
class Call {
  readonly path: string;

  constructor(
    private readonly url: string,
    private readonly options: RequestInit,
  ) {
    this.path = url.split("?")[0]!;
  }

  /** Send it; whatever becomes of the answer then, the centre has given it. */
  async send(): Promise<[string, Response]> {
    const { url, path } = this;
    underway[url] = (underway[url] ?? 0) + 1;
    const response = await fetch(settings.base + url, this.options).finally(
      () => (underway[url]! -= 1),
    );
    const text = await response.text();
    if (path.endsWith("/deliver")) noteReceipts(text);
    return [text, response];
  }
}

const answerAs = (text: string, { status, headers }: Response): Response =>
  new Response(text, { status, headers });

async function answerWell(call: Call): Promise<Response> {
  const [text, response] = await call.send();
  if (response.ok) old.set(call.path, [text, response.headers]);
  return answerAs(text, response);
}

/** What goes wrong on the line, up to which number of the dice. */
const FAULTS: [limit: number, name: string, answer: (call: Call) => Promise<Response>][] = [
  [0.06, "no line", () => Promise.reject(new TypeError("no line"))],
  [
    0.12,
    "answer lost after commit",
    async (call) => {
      await call.send();
      throw new TypeError("lost");
    },
  ],
  [
    0.16,
    "answer cut",
    async (call) => {
      const [text, response] = await call.send();
      return answerAs(text.slice(0, Math.floor(chance() * text.length)), response);
    },
  ],
  [
    0.2,
    "sent twice at once",
    async (call) => {
      const [[text, response]] = await Promise.all([call.send(), call.send().catch(() => null)]);
      return answerAs(text, response);
    },
  ],
  [
    0.24,
    "held back",
    async (call) => {
      await sleep(Math.floor(chance() * 400));
      return answerWell(call);
    },
  ],
  [
    0.26,
    "portal",
    () => {
      const headers = { "Content-Type": "text/html" };
      return Promise.resolve(new Response("<html>Welcome to our network</html>", { headers }));
    },
  ],
  [
    0.28,
    "an old answer again",
    ({ path }) => {
      const [text, headers] = old.get(path)!;
      return Promise.resolve(new Response(text, { headers }));
    },
  ],
  [
    0.3,
    "answer forged",
    async (call) => {
      const [text, response] = await call.send();
      const stored = text.replaceAll(/"status": ?"\w+"/g, '"status":"stored"');
      return answerAs(stored.replace("{}", '{"x":"wipe"}'), response);
    },
  ],
];

/** fetch over a line that loses, repeats, cuts, delays, holds back and makes up. */
async function badFetch(url: string, options: RequestInit): Promise<Response> {
  const call = new Call(url, options);
  const dice = isCalm ? 1 : chance();
  const [, name, answer] = FAULTS.find(([limit]) => dice < limit) ?? [];
  // What signing in is answered is not signed: the phone does not know the key yet. There only TLS
  // keeps strangers out.
  const isForeign = dice >= 0.24;
  const isPossible = name !== "an old answer again" || old.has(call.path);
  if (!name || !answer || !isPossible || (isForeign && call.path.endsWith("/sign-in")))
    return answerWell(call);
  count(name);
  return answer(call);
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
  readonly seen = new Map<string, number>(); // rows that were ever in the outbox: their numbers

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
    let vault: Vault | null = null;
    while (!vault) {
      this.api = this.start();
      vault = await this.api.join(this.username, settings.password).catch(() => null);
      if (!vault) await sleep(100);
    }
    this.vault = vault;
    this.user = vault.account.user;
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
  const kinds = ["check_in", "presence", "family"];
  return {
    what: { contact_type: pick(kinds) },
    when_where: {
      enc_date: day,
      enc_hour: "21",
      nbhd: pick(["002", "004", "025"]),
      setting: pick(["street", "park"]),
    },
    people: {
      who: enrolled ? "enrolled" : "group",
      ...(enrolled ? { code: card } : {}),
    },
    talk: {
      mode: "in_person",
      people_n: String(1 + Math.floor(chance() * 9)),
      risk_now: "low",
      minutes: pick(["5_15", "15_30"]),
    },
    next: {
      ref_made: "no",
      note: `n${Math.floor(chance() * 1e9)} é😀`,
      ...(enrolled && chance() < 0.5 ? { next_due: later.toISOString().slice(0, 10) } : {}),
    },
    ...(enrolled ? { consent: { ["said"]: "read_out", understood: "yes", tier_said: "2" } } : {}),
  };
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
    if (!isGood) (answers["talk"] as Record<string, string>)["people_n"] = "900";
    line.body = JSON.stringify(answers);
  };
  made.push(line);
  const filled = { id, form: "encounter", answers: answersFor(phone, card), ...about };
  await api.finish(vault, filled, minted, spoil as never);
  if (!root) phone.own.push(id);
  if (isGood || !root) phone.heads.set(root || id, [id]);
}

async function complete({ api, vault }: Phone): Promise<void> {
  const { due } = await api.readCaseload(vault);
  if (due.length === 0) return;
  const { id } = pick(due);
  await api.finishNote(vault, "settle", { due: id }, (caseload: Caseload) => ({
    ...caseload,
    due: api.removeCompleted(caseload.due, id),
    settled: [...caseload.settled, id],
  }));
}

async function handOver({ api, vault }: Phone): Promise<void> {
  const { people } = await api.readCaseload(vault);
  const { team } = vault.account;
  if (people.length === 0 || team.length === 0) return;
  const { code } = pick(people);
  const to = pick(team).user;
  await api.finishNote(vault, "handover", { code, to }, (caseload) => ({
    ...caseload,
    people: caseload.people.filter((person) => person.code !== code),
  }));
}

function moveClock(phone: Phone): Promise<void> {
  count("clock jump");
  phone.skew = chance() < 0.3 ? 0 : Math.floor((chance() - 0.5) * 2 * 30 * 86_400_000);
  return Promise.resolve();
}

async function killWhileExchanging(phone: Phone): Promise<void> {
  // It goes on in what is left of the old app.
  const running = phone.api.exchange(phone.vault).catch(() => undefined);
  await sleep(Math.floor(chance() * 30));
  await phone.restart();
  if (chance() < 0.5) await running;
}

async function exchangeInTwoTabs(phone: Phone): Promise<void> {
  const ignore = (): undefined => undefined;
  await Promise.all([
    phone.api.exchange(phone.vault).then(ignore, ignore),
    phone.start().deliver().then(ignore, ignore),
  ]);
}

const correctOne = (phone: Phone): Promise<void> => write(phone, pick(phone.own), true);

/** What a worker or a phone does, up to which number of the dice. */
const STEPS: [limit: number, step: (phone: Phone) => Promise<unknown>][] = [
  [0.4, (phone) => write(phone, "", chance() > 0.04)],
  [0.52, (phone) => (phone.own.length > 0 ? correctOne(phone) : complete(phone))],
  [0.56, complete],
  [0.58, handOver],
  [0.62, moveClock],
  [0.66, killWhileExchanging],
  [0.7, exchangeInTwoTabs],
  [0.8, ({ api }) => api.deliver().catch(() => undefined)],
  [1, ({ api, vault }) => api.exchange(vault)],
];

async function step(phone: Phone): Promise<void> {
  const dice = chance();
  phone.doing = `step ${dice.toFixed(2)}`;
  full = chance() < 0.02 ? 1 : 0;
  await STEPS.find(([limit]) => dice < limit)![1](phone);
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
process.stdout.write("joined\n");
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
  let isDone = false;
  for (let round = 0; !isDone; round++) {
    const { outcome } = await phone.api.exchange(phone.vault).catch(() => ({ outcome: "failed" }));
    const ledger = await phone.api.countRecords(phone.user);
    isDone = outcome === "online" && ledger.waiting === 0;
    if (!isDone && round > 60)
      throw new Error(`${phone.username} cannot deliver: ${outcome}, ${JSON.stringify(ledger)}`);
    if (!isDone) await sleep(500);
  }
}
const reports = [];
for (const phone of phones) {
  await phone.api.exchange(phone.vault);
  reports.push({
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
writeFileSync(settings.report, JSON.stringify({ made, receipts, ["held"]: reports, counts }));
