import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { openScreen } from "../../../test/screen";
import { makeCardCode } from "../../engine/cards";
import { changeCaseload, readCaseload } from "../../storage/caseload";
import { deriveLabelKey, sealLabel } from "../../storage/label_seal";
import { storeVault } from "../../../test/vaults";
import { LabelCopy } from "./label_copy";

const CODE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const person = (label: string) => ({ code: CODE, label, seenOn: "2026-11-03", tier: "1" });

async function open(label: string, more: { sealed?: string; key?: string } = {}) {
  const book = {
    people: [person(label)],
    sealedLabels: more.sealed ? { [CODE]: more.sealed } : {},
  };
  const account = { labelSalt: "salt", ...(more.key ? { labelKey: more.key } : {}) };
  return openScreen(<LabelCopy />, {
    book,
    account,
    arrange: async (vault) => {
      await storeVault(vault);
      await changeCaseload(vault, (caseload) => ({ ...caseload, ...book }));
    },
  });
}

describe("own labels of somebody who joined by an invitation", () => {
  it("says that they are here alone, and stores no copy without a password", async () => {
    const { shown, app } = await open("red cap");
    assert.match(shown.text, /on this phone only/);
    assert.equal(app.vault.account.labelKey, undefined);
    await shown.enter("#label-password", "a long word");
    await shown.enter("#label-again", "another word");
    await shown.submit();
    await until(() => /not the same/.test(shown.text));
    await shown.enter("#label-again", "a long word");
    await shown.submit();
    await until(() => app.vault.account.labelKey !== undefined);
    assert.equal(app.vault.account.labelKey, await deriveLabelKey("a long word", "salt"));
  });

  it("says nothing where there is a password, or no label", async () => {
    assert.equal((await open("red cap", { key: "key" })).shown.text, "");
    assert.equal((await open("")).shown.text, "");
  });
});

describe("labels under a password of before", () => {
  it("are shown once that is typed", async () => {
    const key = await deriveLabelKey("of before", "salt");
    const sealed = await sealLabel(key, { user: 7, code: CODE }, "red cap");
    const { shown, app } = await open("", { sealed, key: Buffer.alloc(32).toString("base64") });
    assert.match(shown.text, /1 name is encrypted/);
    await shown.enter("#label-password", "a guess at it");
    await shown.submit();
    await until(() => /not that password/.test(shown.text));
    await shown.enter("#label-password", "of before");
    await shown.submit();
    await until(async () => (await readCaseload(app.vault)).people[0]!.label === "red cap");
  });
});
