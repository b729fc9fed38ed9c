/** The other screens as a piece that is loaded when something of it is first shown. */

import { type Piece, usePiece } from "../widgets/piece";

export type Screens = typeof import("./others");
export const otherScreens: Piece<Screens> = { load: () => import("./others") };

/** What the piece has; null until it is here, or where it cannot be loaded. */
export function useOtherScreens(): Screens | null {
  const screens = usePiece(otherScreens);
  return screens === "failed" ? null : screens;
}
