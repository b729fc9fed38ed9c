import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { formCalled, openScreen } from "../../../test/screen";
import { getAllRows } from "../../storage/database";
import { FirstDay } from "./first_day";
import { Practice } from "./practice";

const FORMS = [{ ...formCalled("contact", "Contact"), role: "encounter" }];

describe("the first day", () => {
  it("begins with a practice record", async () => {
    const { shown } = await openScreen(<FirstDay />, { forms: FORMS });
    assert.match(shown.text, /Your first day/);
    assert.equal(shown.button("Practice").getAttribute("href"), "#/practice");
    assert.equal((await openScreen(<FirstDay />)).shown.text, "");
  });
});

describe("a practice record", () => {
  it("is marked so, and nothing of it is stored or sent", async () => {
    const { shown, calls } = await openScreen(<Practice isDone={false} />, { forms: FORMS });
    assert.match(shown.text, /Practice: nothing of this is stored or sent/);
    assert.match(shown.text, /A test: nothing is saved/);
    await shown.enter("input", "CANARY");
    await shown.click("Finish");
    await until(() => location.hash === "#/practice/done");
    assert.deepEqual(await getAllRows("drafts"), []);
    assert.deepEqual(await getAllRows("outbox"), []);
    assert.deepEqual(calls, []);
  });

  it("says at its end that it is gone", async () => {
    assert.match((await openScreen(<Practice isDone />, {})).shown.text, /This one is gone/);
  });
});
