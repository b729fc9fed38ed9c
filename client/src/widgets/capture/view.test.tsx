import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { plainType } from "./files";
import { chooseSource } from "./widget";

const row = (type: string) => ({ type, name: "f", label: "File" });

describe("a picture, recording or file", () => {
  it("opens the camera that the form asks for, and never for a file", () => {
    assert.equal(chooseSource("image", "new"), "environment");
    assert.equal(chooseSource("image", "new front"), "user");
    assert.equal(chooseSource("image", "selfie"), "user");
    assert.equal(chooseSource("image", ""), undefined);
    assert.equal(chooseSource("file", "new"), undefined);
  });

  it("is asked for by its kind", async () => {
    const accepts = async (type: string) =>
      (await ask([row(type)])).shown.find("input").getAttribute("accept");
    assert.equal(await accepts("image"), "image/*");
    assert.equal(await accepts("audio"), "audio/*");
    assert.equal(await accepts("file"), null);
  });

  it("is not recorded where the centre allows no voice notes", async () => {
    const { shown } = await ask([row("audio")], { help: { hasVoiceNotes: false } });
    assert.equal(shown.has("input"), false);
    assert.match(shown.text, /switched off at your centre/);
  });

  it("is shown while it is on the phone, and can be forgotten", async () => {
    const address = `data:image/jpeg;base64,${"A".repeat(2000)}`;
    const { filled, shown } = await ask([row("image")], { remembered: { "/data/f": address } });
    assert.equal(shown.find("img").getAttribute("src"), address);
    await shown.click("Remove");
    assert.equal(filled.read("f"), "");
    assert.equal(shown.has("img"), false);
  });

  it("says how large a file is", async () => {
    const address = `data:text/plain;base64,${"A".repeat(20_000)}`;
    const { shown } = await ask([row("file")], { remembered: { "/data/f": address } });
    assert.match(shown.text, /File saved: 15 KB/);
  });

  it("is only named once it is with the centre", async () => {
    const remembered = { "/data/f": "attachment:abc" };
    const { shown } = await ask([row("image")], { remembered });
    assert.equal(shown.has("img"), false);
    assert.match(shown.text, /the record, encrypted/);
  });
});

describe("the media type of a file", () => {
  it("is written without parameters and in small letters", () => {
    assert.equal(plainType("audio/WEBM;codecs=opus"), "audio/webm");
    assert.equal(plainType("image/jpeg"), "image/jpeg");
  });

  it("is never empty", () => {
    assert.equal(plainType(""), "application/octet-stream");
  });
});
