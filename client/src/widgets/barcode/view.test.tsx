import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { installPage, settle } from "../../../test/page";

const row = { type: "barcode", name: "b", label: "Code" };

/** A camera that sees one code after another. */
function seeCodes(...codes: string[]): { isStopped: () => boolean } {
  let isStopped = false;
  const track = { stop: () => (isStopped = true) };
  const detect = () => Promise.resolve(codes.map((rawValue) => ({ rawValue })));
  Object.assign(globalThis, { BarcodeDetector: class { detect = detect; } }); // prettier-ignore
  const getUserMedia = () => Promise.resolve({ getTracks: () => [track] });
  installPage({ mediaDevices: { getUserMedia } });
  return { isStopped: () => isStopped };
}

/** The test page has no films: a video that takes any stream and plays at once. */
const film = Object.getPrototypeOf(document.createElement("video")) as HTMLVideoElement;
Object.defineProperty(film, "srcObject", { set: () => undefined });
film.play = () => Promise.resolve();

describe("a barcode", () => {
  afterEach(() => {
    delete (globalThis as { BarcodeDetector?: unknown }).BarcodeDetector;
    installPage();
  });

  it("is typed without the blanks around it", async () => {
    const { filled, shown } = await ask([row]);
    await shown.enter("input", " 4006381333931 ");
    assert.equal(filled.read("b"), "4006381333931");
    assert.equal(shown.has("button"), false);
  });

  it("is read by the camera where the browser can, and the camera is let go", async () => {
    const camera = seeCodes(" 4006381333931 ");
    const { filled, shown } = await ask([row]);
    await shown.click("Scan with the camera");
    await settle();
    assert.equal(filled.read("b"), "4006381333931");
    assert.equal(shown.has("video"), false);
    assert.equal(camera.isStopped(), true);
  });

  it("is typed in when the camera cannot be opened", async () => {
    seeCodes();
    installPage({ mediaDevices: { getUserMedia: () => Promise.reject(new Error("refused")) } });
    const { shown } = await ask([row]);
    await shown.click("Scan with the camera");
    await settle();
    assert.match(shown.text, /camera could not be opened/);
    await shown.click("Close the camera");
    assert.equal(shown.has(".scanner"), false);
  });
});
