import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { dispatch, installPage, show } from "../../test/page";
import { setGlobal } from "../../test/browser";
import { makeVault } from "../../test/vaults";
import type { Vault } from "../storage/vault";
import { useIdleLock } from "./idle_lock";

const MINUTE = 60_000;
const realNow = Date.now;

let calls: string[];
let vault: Vault;
let timers: { run: () => void; wait: number }[];

function Locked() {
  useIdleLock(
    vault,
    () => void calls.push("lock"),
    () => void calls.push("woken"),
  );
  return null;
}

/** Show the lock with timers that are noted and not run. */
async function open(): Promise<void> {
  await show(<Locked />);
  dispatch(window(), "pointerdown"); // from here on, timers are ours
}
const window = (): EventTarget => document.defaultView as unknown as EventTarget;

beforeEach(async () => {
  installPage();
  calls = [];
  timers = [];
  vault = await makeVault(null);
  vault.account.rules.lock_minutes = 3;
  Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
});
afterEach(() => {
  Date.now = realNow;
  setGlobal("setTimeout", setTimeout);
});

describe("the lock that closes by itself", () => {
  it("closes after the minutes that the centre allows, counted from the last touch", async () => {
    const real = globalThis.setTimeout;
    await show(<Locked />);
    setGlobal("setTimeout", (run: () => void, wait: number) => timers.push({ run, wait }));
    dispatch(window(), "keydown");
    setGlobal("setTimeout", real);
    assert.equal(timers.at(-1)!.wait, 3 * MINUTE);
    timers.at(-1)!.run();
    assert.deepEqual(calls, ["lock"]);
  });

  it("follows a rule that changed meanwhile", async () => {
    const real = globalThis.setTimeout;
    await show(<Locked />);
    vault.account.rules.lock_minutes = 1;
    setGlobal("setTimeout", (run: () => void, wait: number) => timers.push({ run, wait }));
    dispatch(window(), "pointerdown");
    setGlobal("setTimeout", real);
    assert.equal(timers.at(-1)!.wait, MINUTE);
  });

  it("lets a phone that is picked up soon go on at once", async () => {
    await open();
    dispatch(window(), "focus");
    assert.deepEqual(calls, ["woken"]);
  });

  it("closes when the phone slept for longer than allowed", async () => {
    await open();
    const touched = realNow();
    Date.now = () => touched + 4 * MINUTE;
    dispatch(document, "visibilitychange");
    assert.deepEqual(calls, ["lock"]);
  });

  it("closes when the phone's clock was turned back, too", async () => {
    await open();
    const touched = realNow();
    Date.now = () => touched - 60 * MINUTE;
    dispatch(window(), "online");
    assert.deepEqual(calls, ["lock"]);
  });

  it("does nothing while the app is not to be seen", async () => {
    await open();
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    dispatch(document, "visibilitychange");
    assert.deepEqual(calls, []);
  });

  it("watches no longer once it is gone", async () => {
    await open();
    await show(null);
    dispatch(window(), "focus");
    assert.deepEqual(calls, []);
  });
});
