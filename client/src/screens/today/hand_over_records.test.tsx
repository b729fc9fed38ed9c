import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { openScreen } from "../../../test/screen";
import type { FollowUp } from "../../storage/caseload";
import { changeCaseload, EMPTY_CASELOAD, readCaseload } from "../../storage/caseload";
import { listLines } from "../../storage/outbox";
import { removeRecords } from "../people/caseload_changes";
import { HandOverRecords, listWithoutCard } from "./hand_over_records";

const ONE = crypto.randomUUID();
const TWO = crypto.randomUUID();
const OPEN = crypto.randomUUID();
const team = [{ user: 8, label: "Basil" }];

function followUp(root: string, on: string, code = ""): FollowUp {
  return { id: `${root}/${on}`, on, code, form: "mediation", from: "2026-11-01" };
}

const due = [
  followUp(ONE, "2026-11-08"),
  followUp(ONE, "2026-12-01"),
  followUp(TWO, "2026-11-20", "0123456700"),
];
const open = { [OPEN]: { form: "incident", from: "2026-11-02", kind: "", area: "" } };

describe("handing over what names no card", () => {
  it("lists each mediation and incident once, and nobody's card", () => {
    const roots = listWithoutCard({ ...EMPTY_CASELOAD, due, open }).map(([root]) => root);
    assert.deepEqual(roots, [ONE, OPEN]);
  });

  it("leaves what is due with a card, and other records", () => {
    const left = removeRecords({ ...EMPTY_CASELOAD, due, open }, [ONE, TWO, OPEN]);
    assert.deepEqual(left.due, [due[2]]);
    assert.deepEqual(left.open, {});
    assert.deepEqual(removeRecords({ ...EMPTY_CASELOAD, due, open }, []).due, due);
  });

  it("shows nothing without a colleague, or where all has a card", async () => {
    const alone = await openScreen(<HandOverRecords />, { book: { due }, account: { team: [] } });
    assert.equal(alone.shown.text, "");
    const carded = await openScreen(<HandOverRecords />, {
      book: { due: [due[2]!] },
      account: { team },
    });
    assert.equal(carded.shown.text, "");
  });

  const openChosen = async (isSure: boolean, isChosen = true) => {
    const screen = await openScreen(<HandOverRecords />, {
      book: { due, open },
      account: { team },
      isSure,
      arrange: (vault) => changeCaseload(vault, (book) => ({ ...book, due, open })),
    });
    const { shown } = screen;
    if (isChosen) shown.find<HTMLInputElement>("input[type=checkbox]").checked = true;
    shown.find<HTMLSelectElement>("#to").value = "8";
    await shown.submit();
    return screen;
  };

  it("sends nothing while nothing is chosen, or where the worker is not sure", async () => {
    for (const screen of [await openChosen(true, false), await openChosen(false)])
      assert.deepEqual(await listLines(screen.app.vault), []);
  });

  it("takes what is handed over off the list, and tells the centre", async () => {
    const { app, calls } = await openChosen(true);
    await until(() => calls.includes("exchange"));
    const [line] = await listLines(app.vault);
    assert.equal(line!.form, "fieldapp.handover");
    const after = await readCaseload(app.vault);
    assert.deepEqual(after.due, [due[2]]);
    assert.deepEqual(Object.keys(after.open), [OPEN]);
  });
});
