/** The camera as a reader of codes, loaded when somebody scans. */

import { loadLater } from "./load_later";

/** Whether the browser can read codes with a camera. */
export const canScan = (): boolean =>
  "BarcodeDetector" in globalThis && "mediaDevices" in navigator;

export const Scanner = loadLater((widgets) => widgets.Scanner);
