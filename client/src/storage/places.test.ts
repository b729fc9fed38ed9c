import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, setGlobal } from "../../test/browser";
import { Centre } from "../../test/centre";
import { makeVault, type TestVault } from "../../test/vaults";
import { deleteDatabase, deleteUserData, getRow, updateRow } from "./database";
import { notePlace, readPlace } from "./places";
import { seal, unseal } from "./vault";

let vault: TestVault;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  vault = await makeVault(new Centre());
});

function goTo(hash: string): Promise<void> {
  setGlobal("location", { hash });
  return notePlace(vault);
}

describe("where a worker is", () => {
  it("is today as long as nothing is known", async () => {
    assert.equal(await readPlace(vault), "/today");
  });

  it("is where they were last, however long each note takes", async () => {
    const notes = ["#/mine", "#/fill/d1", "#/card/C0DE"].map(goTo);
    await Promise.all(notes);
    assert.equal(await readPlace(vault), "/card/C0DE");
  });

  it("stays where it was while the app is locked, and is not where nobody goes on", async () => {
    await goTo("#/fill/d1");
    await goTo("#/clock");
    await goTo("#/sign-in");
    assert.equal(await readPlace(vault), "/fill/d1");
    for (const hash of ["#/saved/encounter/done/d1", "#/start/encounter"]) {
      await goTo(hash);
      assert.equal(await readPlace(vault), "/today");
    }
  });

  it("is forgotten after a shift", async () => {
    await goTo("#/fill/d1");
    const { sealed } = (await getRow("places", 7))!;
    const place = await unseal<{ at: number }>(vault.key, sealed);
    const earlier = await seal(vault.key, { ...place, at: place.at - 13 * 3_600_000 });
    await updateRow("places", 7, (row) => ({ ...row, sealed: earlier }));
    assert.equal(await readPlace(vault), "/today");
  });

  it("is sealed, and goes with the worker", async () => {
    await goTo("#/card/C0DE");
    const { sealed, ...open } = (await getRow("places", 7))!;
    assert.deepEqual(open, { user: 7 });
    assert.ok(!Buffer.from(sealed.data).toString("latin1").includes("C0DE"));
    await deleteUserData(7);
    assert.equal(await getRow("places", 7), undefined);
  });
});
