import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { openScreen } from "../../../test/screen";
import { UsualKinds } from "./usual_kinds";

const KINDS = ["check_in", "outreach_new", "deesc", "hospital"];
const contact = makeForm([{ type: "select_one", name: "what", choices: "kinds" }], {
  id: "encounter",
  role: "encounter",
  summary: { kind: "/data/what" },
  choices: { kinds: KINDS },
});

async function list(counts: Record<string, number>): Promise<(string | null)[]> {
  const account = { usual: { encounter: { "/data/what": counts } } };
  const { shown } = await openScreen(<UsualKinds contact={contact} />, { account });
  return shown.all("a").map((link) => link.getAttribute("href"));
}

const address = (kind: string): string => `#/start/encounter/${encodeURIComponent(`|${kind}`)}`;

describe("the usual kinds", () => {
  it("are at most three that were logged often, each where the form has it", async () => {
    const counts = { hospital: 9, deesc: 4, check_in: 5, outreach_new: 3 };
    const usual = ["check_in", "deesc", "hospital"];
    assert.deepEqual(await list(counts), usual.map(address));
  });

  it("are none at first, and none that was logged once or twice", async () => {
    assert.deepEqual(await list({}), []);
    assert.deepEqual(await list({ deesc: 2, check_in: 3 }), [address("check_in")]);
  });
});
