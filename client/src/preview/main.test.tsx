import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { makeForm } from "../../test/forms";
import { installPage, Shown, showHtml, until } from "../../test/page";

const DEFINITION = makeForm([
  { type: "text", name: "name", label: "Your name" },
  { type: "text", name: "why", label: "Why", relevant: "${name} = 'Ann'" },
  { type: "calculate", name: "sum", calculate: "1 + 1" },
]);

let asked = "";
async function open(answer: () => Response): Promise<Shown> {
  installPage();
  showHtml('<div id="app" data-definition="/form.json"></div>');
  globalThis.fetch = (address) => {
    asked = String(address);
    return Promise.resolve(answer());
  };
  await import("./main");
  return new Shown(document.getElementById("app")!);
}

describe("trying a form before it is published", () => {
  let shown: Shown;
  before(async () => {
    shown = await open(() => Response.json(DEFINITION));
    await until(() => shown.has("input"));
  });

  it("fetches the form that the page names", () => {
    assert.equal(asked, "/form.json");
    assert.match(shown.text, /A test: nothing is saved/);
  });

  it("shows what would be sent, and only that", async () => {
    await shown.enter("#q-name", "Ben");
    await shown.click("Finish");
    await until(() => shown.texts("h1")[0] === "This would be sent");
    assert.deepEqual(shown.texts("dl div"), ["Your name nameBen", "sum 2"]);
  });

  it("starts again with nothing answered", async () => {
    await shown.click("Start again");
    await until(() => shown.has("input"));
    assert.equal(shown.find<HTMLInputElement>("#q-name").value, "");
  });
});
