/** The screens that are loaded when the first of them is opened. */

import type { ComponentChild } from "preact";
import { otherScreens, type Screens } from "../screens/others_piece";
import { PieceScreen } from "../screens/piece_screen";
import type { Caseload } from "../storage/caseload";
import type { Vault } from "../storage/vault";
import { loadPiece } from "../widgets/piece";

/** Leave for the service worker on which days something is due, where the worker wants that. */
export async function noteDue(vault: Vault, caseload: Caseload): Promise<void> {
  const screens = await loadPiece(otherScreens).catch(() => null);
  await screens?.leaveDays(vault, caseload);
}

/** One of the other screens. */
export function OtherScreen({ draw }: { draw: (screens: Screens) => ComponentChild }) {
  return <PieceScreen piece={otherScreens} draw={draw} />;
}
