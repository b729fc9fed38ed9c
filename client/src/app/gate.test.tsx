import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { installPage, leave, show, until } from "../../test/page";
import { makeVault, storeVault } from "../../test/vaults";
import { deleteDatabase } from "../storage/database";
import { useBackgroundExchange, useGate } from "./gate";

afterEach(leave);

function Gate({ isLocked = true }: { isLocked?: boolean }) {
  const { gate, isBroken, refreshGate } = useGate();
  useBackgroundExchange(isLocked, refreshGate, () => undefined);
  const names = gate?.rows.map(({ username }) => username).join(", ");
  return (
    <>
      <p>{gate ? `in: ${names || "nobody"}, waiting: ${gate.waiting}` : "reading"}</p>
      {isBroken && <p class="error">broken</p>}
      <button onClick={() => void refreshGate()}>Refresh</button>
    </>
  );
}

let asked: number;
beforeEach(async () => {
  installBrowser();
  installPage();
  localStorage.clear();
  await deleteDatabase();
  asked = 0;
  globalThis.fetch = () => Promise.reject(new TypeError(`no network ${asked++}`));
});

describe("the gate", () => {
  it("knows that nobody is signed in on a new phone", async () => {
    const shown = await show(<Gate />);
    await shown.click("Refresh");
    await until(() => shown.text.startsWith("in: nobody, waiting: 0"));
  });

  it("knows who is, at once from the second time on", async () => {
    await storeVault(await makeVault(null));
    const first = await show(<Gate />);
    await first.click("Refresh");
    await until(() => first.text.startsWith("in: amina"));
    const second = await show(<Gate isLocked={false} />);
    assert.match(second.text, /^in: amina/);
  });

  it("says that the phone's storage cannot be read, and recovers", async () => {
    const shown = await show(<Gate isLocked={false} />);
    const { open } = indexedDB;
    await deleteDatabase();
    indexedDB.open = () => {
      const request = { error: new DOMException("broken"), onerror: () => undefined };
      setTimeout(() => request.onerror(), 0);
      return request as unknown as IDBOpenDBRequest;
    };
    await shown.click("Refresh");
    await shown.click("Refresh");
    await until(() => shown.has(".error"));
    indexedDB.open = open;
    await shown.click("Refresh");
    await until(() => !shown.has(".error"));
  });

  it("asks the centre only while nobody is in", async () => {
    await storeVault(await makeVault(null));
    await show(<Gate isLocked={false} />);
    assert.equal(asked, 0);
  });
});
