/** The screens that are loaded when the first of them is opened. */

import type { ComponentChild } from "preact";
import { otherScreens, type Screens } from "../screens/others_piece";
import { PieceScreen } from "../screens/piece_screen";

/** One of the other screens. */
export function OtherScreen({ draw }: { draw: (screens: Screens) => ComponentChild }) {
  return <PieceScreen piece={otherScreens} draw={draw} />;
}
