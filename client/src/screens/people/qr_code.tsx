/** A QR code, drawn on this phone. */

import { useEffect, useState } from "preact/hooks";
import type { QrDrawing } from "./qr_drawing";

const QUIET = 3; // empty modules around the code, so that cameras find its edge

/** The text is beside every code, so a code that cannot be drawn takes nothing away. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const [drawing, setDrawing] = useState<QrDrawing | null>(null);
  useEffect(() => {
    import("./qr_drawing").then(
      ({ drawQrCode }) => setDrawing(drawQrCode(text)),
      () => undefined,
    );
  }, [text]);
  if (!drawing) return null;
  const side = drawing.size + 2 * QUIET;
  return (
    <svg class="qr" viewBox={`-${QUIET} -${QUIET} ${side} ${side}`} role="img" aria-label={label}>
      <rect x={-QUIET} y={-QUIET} width={side} height={side} fill="#fff" />
      <path d={drawing.path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}
