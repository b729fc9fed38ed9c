/** Pieces of the app that are loaded when something of them is first shown. */

import { useEffect, useState } from "preact/hooks";
import { loadLaterWords } from "../i18n";

/** A piece and how it is loaded; once it is here it stays. */
export interface Piece<Module> {
  load: () => Promise<Module>;
  module?: Module;
}

/**
 * What a piece holds; null while it is on its way, "failed" where it cannot be loaded: then the
 * phone has no signal, and never was ready to do without.
 */
export function usePiece<Module extends object>(piece: Piece<Module>): Module | "failed" | null {
  const [hasFailed, setFailed] = useState(false);
  const [, redraw] = useState(0);
  useEffect(() => {
    if (piece.module) return;
    loadPiece(piece).then(
      () => redraw((n) => n + 1),
      () => setFailed(true),
    );
  }, []);
  return piece.module ?? (hasFailed ? "failed" : null);
}

/** What a piece holds, for an act that needs it. The words that only such pieces say come along. */
export async function loadPiece<Module extends object>(piece: Piece<Module>): Promise<Module> {
  if (piece.module) return piece.module;
  const [module] = await Promise.all([piece.load(), loadLaterWords()]);
  piece.module = module;
  return module;
}
