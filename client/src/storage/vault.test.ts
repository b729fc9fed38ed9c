import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Browser, installBrowser, setGlobal } from "../../test/browser";
import { Centre } from "../../test/centre";
import { listAccounts, readCachedAccounts } from "./accounts";
import { deleteDatabase, getAllRows, getRow, putRow, updateRow } from "./database";
import { makeSigningKey } from "./sealing";
import type { VaultRow } from "./types";
import { addPasskey } from "./add_passkey";
import { unlockByPasskey } from "./passkeys";
import {
  type Account,
  DEFAULT_RULES,
  deriveKeyFromPin,
  disablePin,
  enrol,
  PinDelayed,
  PinDisabled,
  saveAccount,
  seal,
  unlock,
  unseal,
  type Vault,
  WrongPin,
} from "./vault";

const PIN = "246810";
const QUICK = 10; // rounds of deriving; the phone's own number is tried once below
const SALT = new Uint8Array(16).fill(4);
const centre = new Centre();

let browser: Browser;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
});

async function makeAccount(more: Partial<Account> = {}): Promise<Account> {
  const { privateKey } = await makeSigningKey();
  return {
    user: 7,
    username: "amina",
    device: "device-7",
    signer: privateKey,
    token: "token-7",
    worker: "Amina",
    centre: "Rexdale",
    key: centre.key,
    receipts: centre.receipts,
    team: [],
    rules: { ...DEFAULT_RULES, shred_days: 9 },
    listed: [],
    remembered: {},
    ...more,
  };
}

/** Join with a PIN that is derived quickly. */
async function join(more: Partial<Account> = {}, pin = PIN, recovery = "secret"): Promise<Vault> {
  const account = await makeAccount(more);
  const byPin = { salt: SALT, key: deriveKeyFromPin(pin, SALT, QUICK) };
  const vault = await enrol(account, byPin, recovery);
  await updateRow("vaults", account.user, (row) => ({ ...row, iterations: QUICK }));
  return vault;
}

const rowOf = async (user = 7): Promise<VaultRow> => (await getRow("vaults", user))!;

describe("sealing with the worker's key", () => {
  it("is not undone by another key, nor when a byte was changed", async () => {
    const vault = await join();
    const other = await join({ user: 8 });
    const sealed = await seal(vault.key, { a: 1 });
    await assert.rejects(unseal(other.key, sealed));
    new Uint8Array(sealed.data)[0]! ^= 1;
    await assert.rejects(unseal(vault.key, sealed));
  });

  it("gives back any value, and never looks alike twice", async () => {
    const { key } = await join();
    for (const value of [null, 0, "é😀", [1, [2]], { a: { b: "" } }]) {
      const sealed = await seal(key, value);
      assert.deepEqual(await unseal(key, sealed), value);
    }
    const first = await seal(key, "same");
    const second = await seal(key, "same");
    assert.notDeepEqual(first.iv, second.iv);
    assert.notDeepEqual(Buffer.from(first.data), Buffer.from(second.data));
  });

  it("uses keys that cannot be read out of the browser", async () => {
    const { key, signer } = await join();
    assert.equal(key.extractable, false);
    assert.equal(signer.extractable, false);
    assert.equal((await deriveKeyFromPin(PIN, SALT, QUICK)).extractable, false);
  });

  it("derives another key for another PIN, salt or number of rounds", async () => {
    const sealed = await seal(await deriveKeyFromPin(PIN, SALT, QUICK), "x");
    const other = new Uint8Array(16).fill(5);
    assert.equal(await unseal(await deriveKeyFromPin(PIN, SALT, QUICK), sealed), "x");
    for (const key of [
      await deriveKeyFromPin("246811", SALT, QUICK),
      await deriveKeyFromPin(PIN, other, QUICK),
      await deriveKeyFromPin(PIN, SALT, QUICK + 1),
    ])
      await assert.rejects(unseal(key, sealed));
  });

  it("keeps no recordings of voices unless the centre says so", () => {
    assert.deepEqual(DEFAULT_RULES, { lock_minutes: 5, shred_days: 7, voice_notes: false });
  });
});

describe("a PIN", () => {
  it("opens nothing on a phone where this worker never joined", async () => {
    await assert.rejects(unlock(7, PIN), WrongPin);
  });

  it("that is wrong opens nothing, and is counted", async () => {
    await join();
    await assert.rejects(unlock(7, "111111"), WrongPin);
    assert.equal((await rowOf()).tries, 1);
  });

  it("opens the vault, with all that the account had", async () => {
    const { account } = await join({ remembered: { f: { q: "x" } } });
    const opened = await unlock(7, PIN);
    assert.deepEqual(opened.account, account);
    assert.deepEqual(await unseal(opened.key, (await rowOf()).account), account);
  });

  it("forgets wrong tries once it is right", async () => {
    await join();
    for (let wrong = 0; wrong < 4; wrong++) await assert.rejects(unlock(7, "0"), WrongPin);
    assert.equal((await rowOf()).tries, 4);
    await unlock(7, PIN);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([(await rowOf()).tries, (await rowOf()).notBefore], [0, 0]);
  });

  it("must wait after five wrong tries, longer each time", async () => {
    await join();
    const waits: number[] = [];
    for (let wrong = 1; wrong <= 9; wrong++) {
      await updateRow("vaults", 7, (row) => ({ ...row, notBefore: 0 }));
      await assert.rejects(unlock(7, "0"), WrongPin);
      const { notBefore } = await rowOf();
      waits.push(notBefore === 0 ? 0 : Math.round((notBefore - Date.now()) / 1000));
    }
    assert.deepEqual(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480]);
  });

  it("is not even tried while it must wait: the right one neither", async () => {
    await join();
    await updateRow("vaults", 7, (row) => ({ ...row, tries: 5, notBefore: Date.now() + 30_000 }));
    await assert.rejects(unlock(7, PIN), (error) => {
      assert.ok(error instanceof PinDelayed);
      assert.ok(error.seconds > 28 && error.seconds <= 30);
      return true;
    });
    assert.equal((await rowOf()).tries, 5);
  });

  it("waits an hour at most, however the clock jumped", async () => {
    await join();
    await updateRow("vaults", 7, (row) => ({ ...row, notBefore: Date.now() + 1e12 }));
    await assert.rejects(unlock(7, PIN), (error) => (error as PinDelayed).seconds === 3600);
  });

  it("opens nothing any more after ten wrong tries, and the vault stays", async () => {
    await join();
    await updateRow("vaults", 7, (row) => ({ ...row, tries: 9 }));
    await assert.rejects(unlock(7, "0"), PinDisabled);
    const row = await rowOf();
    assert.deepEqual([row.byPin, row.byPasskey, row.tries], [null, null, 0]);
    await assert.rejects(unlock(7, PIN), PinDisabled);
  });

  it("is counted before it is tried, so that closing the app in between wins nothing", async () => {
    await join();
    const trying = unlock(7, "0").catch(() => undefined);
    while ((await rowOf()).tries === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal((await rowOf()).tries, 1);
    await trying;
  });

  it("can be taken away by the centre", async () => {
    await join();
    await putRow("reminders", { user: 7, days: ["2026-12-01"], words: "Due." });
    await disablePin(7);
    await assert.rejects(unlock(7, PIN), PinDisabled);
    assert.deepEqual(await getAllRows("reminders"), []);
  });

  it("is slow to try: six hundred thousand rounds", async () => {
    const { deriveKey } = crypto.subtle;
    const rounds: number[] = [];
    crypto.subtle.deriveKey = (algorithm, ...others) => {
      rounds.push((algorithm as Pbkdf2Params).iterations);
      return deriveKey.call(
        crypto.subtle,
        { ...(algorithm as Pbkdf2Params), iterations: 1 },
        ...others,
      );
    };
    try {
      const byPin = { salt: SALT, key: deriveKeyFromPin(PIN, SALT) };
      await enrol(await makeAccount(), byPin, "secret");
      await unlock(7, PIN);
    } finally {
      crypto.subtle.deriveKey = deriveKey;
    }
    assert.deepEqual(rounds, [600_000, 600_000]);
  });
});

describe("joining again", () => {
  it("is refused with another secret of the centre, and changes nothing", async () => {
    await join();
    const before = await rowOf();
    await assert.rejects(join({}, "999999", "another secret"));
    assert.deepEqual((await rowOf()).byPin, before.byPin);
  });

  it("keeps the key, so that drafts of before can be read", async () => {
    const first = await join();
    const sealed = await seal(first.key, "draft");
    await disablePin(7);
    const second = await join({}, "999999");
    assert.equal(await unseal(second.key, sealed), "draft");
    assert.equal(await unseal((await unlock(7, "999999")).key, sealed), "draft");
    await assert.rejects(unlock(7, PIN), WrongPin);
  });

  it("keeps the last answers, and takes all else from the centre", async () => {
    await join({ remembered: { f: { q: "x" } }, worker: "Old name" });
    const { account } = await join({ worker: "New name" });
    assert.deepEqual(account.remembered, { f: { q: "x" } });
    assert.equal(account.worker, "New name");
  });

  it("counts from there, for what this sign-in tells the centre", async () => {
    await putRow("counters", { user: 7, made: 12, delivered: 9, kept: 1, deleted: 2 });
    await join();
    assert.deepEqual((await rowOf()).base, { made: 12, deleted: 2 });
  });

  it("takes a passkey away", async () => {
    await join();
    const passkey = { id: new ArrayBuffer(1), salt: SALT, sealed: (await rowOf()).byRecovery };
    await updateRow("vaults", 7, (row) => ({ ...row, byPasskey: passkey }));
    await join();
    assert.equal((await rowOf()).byPasskey, null);
  });

  it("as another worker leaves the first alone", async () => {
    await join();
    await join({ user: 8, username: "ben" }, "135790", "other");
    assert.equal((await unlock(7, PIN)).account.username, "amina");
    assert.equal((await unlock(8, "135790")).account.username, "ben");
    await assert.rejects(unlock(8, PIN), WrongPin);
  });
});

describe("what the row of a vault shows without a key", () => {
  it("is who it is, how long lines stay, and the centre's public key; nothing more", async () => {
    await join();
    const row = await rowOf();
    assert.deepEqual([row.username, row.device, row.shredDays], ["amina", "device-7", 9]);
    assert.deepEqual(row.receipts, centre.receipts);
    const sealed = [row.account, row.byPin!, row.byRecovery];
    const bytes = sealed.map(({ data }) => Buffer.from(data).toString("latin1")).join();
    for (const word of ["token-7", "Rexdale", "Amina"]) assert.ok(!bytes.includes(word), word);
  });
});

describe("a change of the account", () => {
  it("is there when the vault is opened the next time", async () => {
    const vault = await join();
    vault.account.centre = "Jane and Finch";
    vault.account.rules = { ...DEFAULT_RULES, shred_days: 3 };
    await saveAccount(vault);
    assert.equal((await unlock(7, PIN)).account.centre, "Jane and Finch");
    assert.equal((await rowOf()).shredDays, 3);
  });

  it("of an earlier version of the app gets what it lacks", async () => {
    const vault = await join();
    const { rules: _, listed: __, receipts: ___, team: ____, ...old } = vault.account;
    const account = await seal(vault.key, old);
    await updateRow("vaults", 7, (row) => ({ ...row, account }));
    const { account: opened } = await unlock(7, PIN);
    assert.deepEqual(
      [opened.rules, opened.listed, opened.receipts, opened.team],
      [DEFAULT_RULES, [], null, []],
    );
  });

  it("of the first version has no key to sign with, and opens all the same", async () => {
    const vault = await join();
    const account = await seal(vault.key, { ...vault.account, signer: "" });
    await updateRow("vaults", 7, (row) => ({ ...row, account }));
    assert.equal((await unlock(7, PIN)).signer, null);
  });
});

describe("the lock screen", () => {
  it("knows nobody on a new phone, or when what it keeps is damaged", async () => {
    assert.deepEqual(readCachedAccounts(), []);
    browser.localStorage.set("fieldapp.doors", "[{");
    assert.deepEqual(readCachedAccounts(), []);
    assert.deepEqual(await listAccounts(), []);
  });

  it("knows who works with this phone, and what opens it", async () => {
    await join();
    await join({ user: 8, username: "ben" });
    await disablePin(8);
    const accounts = [
      { user: 7, username: "amina", hasPin: true, hasPasskey: false },
      { user: 8, username: "ben", hasPin: false, hasPasskey: false },
    ];
    assert.deepEqual(await listAccounts(), accounts);
    assert.deepEqual(readCachedAccounts(), accounts);
  });
});

describe("a passkey", () => {
  /** A phone's own lock; null where it gives no secret. */
  function installAuthenticator(secret: Uint8Array | null): { asked: number } {
    const authenticator = { asked: 0 };
    const results = secret && { first: secret.buffer };
    const credential = {
      rawId: new Uint8Array([1, 2, 3]).buffer,
      getClientExtensionResults: () => ({ prf: { enabled: secret !== null, results } }),
    };
    const answer = (): Promise<unknown> => {
      authenticator.asked++;
      return Promise.resolve(credential);
    };
    setGlobal("navigator", { credentials: { create: answer, get: answer } });
    return authenticator;
  }

  it("is not made with a wrong PIN, nor where there is none", async () => {
    const vault = await join();
    const authenticator = installAuthenticator(new Uint8Array(32));
    await assert.rejects(addPasskey(vault, "0"), WrongPin);
    await disablePin(7);
    await assert.rejects(addPasskey(vault, PIN), PinDisabled);
    assert.equal(authenticator.asked, 0);
  });

  it("is not made on a phone that cannot do this", async () => {
    const vault = await join();
    installAuthenticator(null);
    await assert.rejects(addPasskey(vault, PIN), WrongPin);
    assert.equal((await rowOf()).byPasskey, null);
  });

  it("opens nothing where there is none, or with another phone's secret", async () => {
    const vault = await join();
    await assert.rejects(unlockByPasskey(7), PinDisabled);
    installAuthenticator(new Uint8Array(32).fill(1));
    await addPasskey(vault, PIN);
    installAuthenticator(new Uint8Array(32).fill(2));
    await assert.rejects(unlockByPasskey(7));
  });

  it("opens the same vault as the PIN", async () => {
    const vault = await join();
    installAuthenticator(new Uint8Array(32).fill(1));
    await addPasskey(vault, PIN);
    const opened = await unlockByPasskey(7);
    assert.deepEqual(opened.account, vault.account);
    assert.equal(await unseal(opened.key, await seal(vault.key, "x")), "x");
    assert.equal((await listAccounts())[0]!.hasPasskey, true);
  });

  it("goes with the PIN when the centre locks the phone", async () => {
    const vault = await join();
    installAuthenticator(new Uint8Array(32).fill(1));
    await addPasskey(vault, PIN);
    await disablePin(7);
    await assert.rejects(unlockByPasskey(7), PinDisabled);
  });
});
