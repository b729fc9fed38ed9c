import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../../test/browser";
import { installPage, show, until } from "../../../test/page";
import { makeVault, storeVault } from "../../../test/vaults";
import { noteOpened, type StoredAccount } from "../../storage/accounts";
import { deleteDatabase } from "../../storage/database";
import { PinDelayed, PinDisabled, WrongPin } from "../../storage/vault";
import { describeUnlockProblem, Unlock } from "./unlock";

const AMINA: StoredAccount = { user: 7, username: "amina", hasPin: true, hasPasskey: false };
const BEN: StoredAccount = { user: 8, username: "ben", hasPin: true, hasPasskey: true };

const open = (
  rows: StoredAccount[],
  waiting = 0,
  orders: { user: number; order: "lock" | "wipe" }[] = [],
) => {
  const calls: string[] = [];
  const shown = show(
    <Unlock
      about={null}
      rows={rows}
      waiting={waiting}
      orders={orders}
      opened={() => void calls.push("opened")}
      changeLanguage={(code) => void calls.push(code)}
      another={() => void calls.push("another")}
    />,
  );
  return shown.then((page) => ({ shown: page, calls }));
};

beforeEach(() => installPage());

describe("the lock", () => {
  it("asks for a PIN, and for a name only when several share the phone", async () => {
    const alone = (await open([AMINA])).shown;
    assert.equal(alone.has("#pin"), true);
    assert.equal(alone.has("#who"), false);
    const shared = (await open([AMINA, BEN])).shown;
    assert.deepEqual(
      shared.all<HTMLOptionElement>("#who option").map((option) => option.textContent),
      ["amina", "ben"],
    );
  });

  it("offers who was in last, so that their PIN is no wrong try of another", async () => {
    noteOpened(BEN.user);
    const { shown } = await open([AMINA, BEN]);
    assert.match(shown.text, /finger or face/); // which only Ben has
    const gone = (await open([AMINA])).shown;
    localStorage.clear();
    assert.equal(gone.has("#pin"), true);
  });

  it("offers finger or face to who has set it up", async () => {
    const { shown } = await open([AMINA, BEN]);
    assert.doesNotMatch(shown.text, /finger or face/);
    await shown.enter("#who", "8");
    assert.match(shown.text, /finger or face/);
  });

  it("says at once when the PIN opens nothing any more", async () => {
    const { shown } = await open([{ ...AMINA, hasPin: false }]);
    assert.match(shown.find(".state.danger").textContent!, /Sign in with your password/);
  });

  it("says how many sealed records wait to be sent", async () => {
    assert.match((await open([AMINA], 1)).shown.text, /1 encrypted record waits here/);
    assert.match((await open([AMINA], 3)).shown.text, /3 encrypted records wait here/);
    assert.doesNotMatch((await open([AMINA], 0)).shown.text, /sealed record/);
  });

  it("says what the centre did to this phone", async () => {
    const locked = await open([AMINA], 0, [{ user: 7, order: "lock" }]);
    assert.match(locked.shown.text, /The centre has locked this phone/);
    const wiped = await open([AMINA], 0, [{ user: 7, order: "wipe" }]);
    assert.match(wiped.shown.text, /wiped a worker's data off this phone/);
  });

  it("counts down until the next try", async () => {
    installBrowser();
    await deleteDatabase();
    installPage();
    await storeVault(await makeVault(null), { user: 7, notBefore: Date.now() + 2_900 });
    const { shown } = await open([AMINA]);
    await shown.enter("#pin", "246810");
    await shown.submit();
    await until(() => shown.text.includes("Wait 3 seconds"));
    assert.equal(shown.find<HTMLButtonElement>(".main.btn").disabled, true);
    await until(() => shown.text.includes("Wait 2 seconds"));
  });

  it("lets somebody else in, and changes the language", async () => {
    const { shown, calls } = await open([AMINA]);
    await shown.click("I forgot the PIN, or I am somebody else");
    await shown.click("Français");
    assert.deepEqual(calls, ["another", "fr"]);
  });
});

describe("why the app stays locked", () => {
  it("is said for each reason, and never that work is lost", () => {
    assert.match(describeUnlockProblem(new PinDelayed(30)), /Too many wrong tries. Your work is/);
    assert.match(describeUnlockProblem(new PinDisabled()), /your work is still here/);
    assert.match(describeUnlockProblem(new WrongPin()), /Your work is still here/);
    const refused = new DOMException("no", "NotAllowedError");
    assert.equal(describeUnlockProblem(refused), "That did not work. Use your PIN.");
    assert.match(describeUnlockProblem(new Error("broken")), /storage cannot be read/);
  });
});
