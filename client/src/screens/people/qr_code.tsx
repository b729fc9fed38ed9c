/** A QR code, drawn on this phone. */

import { generate } from "lean-qr/nano";
import { useMemo } from "preact/hooks";

const QUIET = 3; // empty modules around the code, so that cameras find its edge

/** The dark modules of a text's QR code as one SVG path, and how many modules are on a side. */
export function drawQrCode(text: string): { size: number; path: string } {
  const code = generate(text);
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) path += `M${x} ${y}h1v1h-1z`;
  }
  return { size: code.size, path };
}

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => drawQrCode(text), [text]);
  const side = size + 2 * QUIET;
  return (
    <svg class="qr" viewBox={`-${QUIET} -${QUIET} ${side} ${side}`} role="img" aria-label={label}>
      <rect x={-QUIET} y={-QUIET} width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}
