import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { makeVault, type TestVault } from "../../test/vaults";
import { deleteDatabase, getRow } from "./database";
import { readMaps, readMapVersion, saveMaps } from "./maps";

let vault: TestVault;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  vault = await makeVault(null);
});

const MAPS = { maps: { week: { spots: ["Jane"] }, month: null }, viewer: "v" };

describe("the centre's maps", () => {
  it("are none before they came", async () => {
    assert.equal(await readMapVersion(7), "");
    assert.equal(await readMaps(vault), null);
  });

  it("are none for whoever has not the worker's key", async () => {
    await saveMaps(vault, "m1", MAPS);
    assert.equal(await readMaps(await makeVault(null)), null);
    assert.equal(await readMaps(await makeVault(null, { user: 8 })), null);
    const { sealed } = (await getRow("maps", 7))!;
    assert.ok(!Buffer.from(sealed.data).toString("latin1").includes("Jane"));
  });

  it("are read again, with the version that the centre gave", async () => {
    await saveMaps(vault, "m1", MAPS);
    assert.equal(await readMapVersion(7), "m1");
    assert.deepEqual(await readMaps(vault), MAPS);
  });

  it("are none when the centre has none any more", async () => {
    await saveMaps(vault, "m1", MAPS);
    await saveMaps(vault, "", { maps: { week: null, month: null }, viewer: "" });
    assert.equal(await readMaps(vault), null);
    assert.equal(await readMapVersion(7), "");
  });
});
