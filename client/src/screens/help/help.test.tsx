import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { openScreen } from "../../../test/screen";
import { LANGUAGES, loadLaterWords, setLanguage } from "../../i18n";
import { Help } from "./help";
import * as texts from "./help_texts";

const countSentences = (text: string): number => [...text.matchAll(/[.!?](?=[\s»”]|$)/g)].length;

describe("help", () => {
  for (const code of Object.keys(LANGUAGES)) {
    it(`is two sentences or fewer (${code})`, async () => {
      await setLanguage(code);
      await loadLaterWords();
      for (const [topic, say] of Object.entries(texts)) {
        const count = countSentences(say());
        assert.ok(count >= 1 && count <= 2, `${topic}: ${say()}`);
      }
    });
  }

  it("is said in each language", async () => {
    await setLanguage("en");
    const english = Object.values(texts).map((say) => say());
    await setLanguage("fr");
    await loadLaterWords();
    const french = Object.values(texts).map((say) => say());
    await setLanguage("en");
    assert.deepEqual(
      french.filter((text) => english.includes(text)),
      [],
    );
  });

  it("opens in place by a button that has a name, and closes by the same", async () => {
    const { shown } = await openScreen(
      <Help about="due" name="Due">
        Due
      </Help>,
    );
    const button = shown.button("Help: Due");
    assert.equal(button.getAttribute("aria-expanded"), "false");
    await shown.click(button);
    await until(() => shown.text.includes("Tap a line to log what is due."));
    assert.equal(button.getAttribute("aria-expanded"), "true");
    await shown.click(button);
    assert.equal(shown.text, "Due?");
  });
});
