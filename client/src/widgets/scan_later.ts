/** The camera as a reader of codes, loaded when somebody scans. */

import { loadLater } from "./load_later";

/** Whether the phone lets this app use a camera, which it asks about when somebody scans. */
export const canScan = (): boolean => "mediaDevices" in navigator;

export const Scanner = loadLater((widgets) => widgets.Scanner);
