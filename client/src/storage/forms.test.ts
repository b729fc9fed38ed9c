import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { makeForm } from "../../test/forms";
import { sha256, toUtf8 } from "./bytes";
import { deleteDatabase, getAllRows, getRow, putRow } from "./database";
import {
  areVerified,
  findForm,
  findMainForm,
  findMissingAreas,
  findMissingForms,
  findOutlines,
  listAreaLists,
  listCurrentForms,
  type ListedForm,
  saveAreas,
  saveForms,
} from "./forms";

const USER = 7;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
});

interface Sent {
  listed: ListedForm;
  text: string;
}

async function makeSent(id: string, version = "1"): Promise<Sent> {
  const text = JSON.stringify(makeForm([{ type: "text", name: "q" }], { id, version }));
  const listed = { id, version, title: { en: id }, sha256: await sha256(toUtf8(text)) };
  return { listed, text };
}

const textsOf = (...sent: Sent[]): Map<string, string> =>
  new Map(sent.map(({ listed, text }) => [listed.sha256, text]));

async function store(...sent: Sent[]): Promise<void> {
  const listed = sent.map((form) => form.listed);
  await saveForms(USER, listed, textsOf(...sent));
}

async function damage(key: string): Promise<void> {
  const row = (await getRow("forms", key))!;
  await putRow("forms", { ...row, text: `${row.text} ` });
}

describe("storing forms", () => {
  it("refuses one that did not arrive whole, and stores nothing", async () => {
    const form = await makeSent("a");
    const cut = new Map([[form.listed.sha256, form.text.slice(1)]]);
    await assert.rejects(saveForms(USER, [form.listed], cut), /did not arrive whole/);
    assert.deepEqual(await getAllRows("forms"), []);
  });

  it("passes over one that has not come yet", async () => {
    const a = await makeSent("a");
    const b = await makeSent("b");
    await saveForms(USER, [a.listed, b.listed], textsOf(b));
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ id }) => id),
      ["b"],
    );
  });

  it("makes them the ones to fill in", async () => {
    await store(await makeSent("a"), await makeSent("b"));
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ id }) => id),
      ["a", "b"],
    );
    assert.deepEqual(await listCurrentForms(8), []);
  });

  it("keeps an older version for drafts, though nobody fills it in any more", async () => {
    await store(await makeSent("a", "1"));
    await store(await makeSent("a", "2"));
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ version }) => version),
      ["2"],
    );
    assert.equal((await findForm(USER, "a", "1"))?.version, "1");
    assert.equal(await findForm(USER, "a", "3"), null);
    assert.equal(await findForm(8, "a", "1"), null);
  });

  it("takes away what the centre lists no more, and brings it back without sending it", async () => {
    const a = await makeSent("a");
    const b = await makeSent("b");
    await store(a, b);
    await saveForms(USER, [b.listed], new Map());
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ id }) => id),
      ["b"],
    );
    await saveForms(USER, [a.listed, b.listed], new Map());
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ id }) => id),
      ["a", "b"],
    );
  });

  it("does not take what is damaged on the phone for the form", async () => {
    const a = await makeSent("a");
    await store(a);
    await damage("7/a/1");
    await saveForms(USER, [a.listed], new Map());
    assert.deepEqual(await listCurrentForms(USER), []);
    await store(a);
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ id }) => id),
      ["a"],
    );
  });

  it("writes nothing where nothing changed", async () => {
    const a = await makeSent("a");
    await store(a);
    const before = await getAllRows("forms");
    await store(a);
    assert.deepEqual(await getAllRows("forms"), before);
  });
});

describe("forms that are missing", () => {
  it("are all on a new phone, and none when they are there", async () => {
    const a = await makeSent("a");
    const b = await makeSent("b");
    assert.deepEqual(await findMissingForms(USER, [a.listed, b.listed]), [a.listed, b.listed]);
    await store(a);
    assert.deepEqual(await findMissingForms(USER, [a.listed, b.listed]), [b.listed]);
  });

  it("are judged by what is there, not by what was noted beside it", async () => {
    const a = await makeSent("a");
    await store(a);
    await damage("7/a/1");
    assert.deepEqual(await findMissingForms(USER, [a.listed]), [a.listed]);
  });

  it("come with the one that workers fill most first", () => {
    assert.equal(findMainForm([{ id: "a" }, { id: "contact", role: "encounter" }])?.id, "contact");
    assert.equal(
      findMainForm([
        { id: "a", role: "" },
        { id: "b", role: "shift" },
      ])?.id,
      "a",
    );
    assert.equal(findMainForm([]), undefined);
  });

  it("do not keep the others from opening when one is damaged", async () => {
    await store(await makeSent("a"), await makeSent("b"));
    const row = (await getRow("forms", "7/a/1"))!;
    await putRow("forms", { ...row, text: "{" });
    assert.deepEqual(
      (await listCurrentForms(USER)).map(({ id }) => id),
      ["b"],
    );
  });
});

describe("ready offline", () => {
  const listed = async (): Promise<Parameters<typeof areVerified>[1]> => {
    const { sha256: hash } = (await makeSent("a")).listed;
    return [{ kind: "form", id: "a", sha256: hash }];
  };

  it("is not said before anything is here, or where nothing is listed", async () => {
    assert.equal(await areVerified(USER, await listed()), false);
    assert.equal(await areVerified(USER, []), false);
    await store(await makeSent("a"));
    assert.equal(await areVerified(USER, []), false);
  });

  it("is not said while a form is damaged, old, or an area is missing", async () => {
    await store(await makeSent("a"));
    const areas = { kind: "areas" as const, id: "n", sha256: "x" };
    assert.equal(await areVerified(USER, [...(await listed()), areas]), false);
    await damage("7/a/1");
    assert.equal(await areVerified(USER, await listed()), false);
    await store(await makeSent("a", "2"));
    assert.equal(await areVerified(USER, await listed()), false);
  });

  it("is said when all that the centre listed is here and whole", async () => {
    await store(await makeSent("a"));
    const text = '{"areas":{}}';
    const hash = await sha256(toUtf8(text));
    await saveAreas(USER, [{ key: "n", sha256: hash }], new Map([["n", text]]));
    const areas = { kind: "areas" as const, id: "n", sha256: hash };
    assert.equal(await areVerified(USER, [...(await listed()), areas]), true);
  });
});

describe("areas", () => {
  const TEXT = '{"areas":{"001":[]}}';

  it("are refused when they did not arrive whole", async () => {
    const listed = [{ key: "n", sha256: await sha256(toUtf8(TEXT)) }];
    await assert.rejects(saveAreas(USER, listed, new Map([["n", "{}"]])), /did not arrive whole/);
    assert.deepEqual(await listAreaLists(USER), []);
  });

  it("are stored, found by their list, and missing no more", async () => {
    const listed = [{ key: "n", sha256: await sha256(toUtf8(TEXT)) }];
    assert.deepEqual(await findMissingAreas(USER, listed), listed);
    await saveAreas(USER, listed, new Map([["n", TEXT]]));
    assert.deepEqual(await findMissingAreas(USER, listed), []);
    assert.deepEqual(await listAreaLists(USER), ["n"]);
    assert.deepEqual(await findOutlines(USER, "n"), { areas: { "001": [] } });
    assert.equal(await findOutlines(USER, "other"), null);
    assert.equal(await findOutlines(8, "n"), null);
  });

  it("go when the centre lists them no more, and stay when nothing was sent", async () => {
    const listed = [{ key: "n", sha256: await sha256(toUtf8(TEXT)) }];
    await saveAreas(USER, listed, new Map([["n", TEXT]]));
    await saveAreas(USER, listed, new Map());
    assert.deepEqual(await listAreaLists(USER), ["n"]);
    await saveAreas(USER, [], new Map());
    assert.deepEqual(await listAreaLists(USER), []);
  });
});
