/** The drawing of a QR code; a piece of its own, fetched when the first one is shown. */

import { generate } from "lean-qr/nano";

export interface QrDrawing {
  size: number; // modules on a side
  path: string; // the dark ones as one SVG path
}

export function drawQrCode(text: string): QrDrawing {
  const code = generate(text);
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) path += `M${x} ${y}h1v1h-1z`;
  }
  return { size: code.size, path };
}
