/** The other screens as a piece that is loaded when something of it is first shown. */

import type { Vault } from "../storage/vault";
import { loadPiece, type Piece, usePiece } from "../widgets/piece";

export type Screens = typeof import("./others");
export const otherScreens: Piece<Screens> = { load: () => import("./others") };

/** Note where the worker is, for an app that the phone ends. */
export const noteHere = (vault: Vault): Promise<void> =>
  loadPiece(otherScreens).then(
    ({ notePlace }) => notePlace(vault),
    () => undefined,
  );

/** Where the worker was when the app ended. */
export const findPlace = (vault: Vault): Promise<string> =>
  loadPiece(otherScreens)
    .then(({ readPlace }) => readPlace(vault))
    .catch(() => "/today");

/** What the piece has; null until it is here, or where it cannot be loaded. */
export function useOtherScreens(): Screens | null {
  const screens = usePiece(otherScreens);
  return screens === "failed" ? null : screens;
}
