/** The screens that are loaded when the first of them is opened. */

import type { ComponentChild } from "preact";
import { PieceScreen } from "../screens/piece_screen";
import type { Piece } from "../widgets/piece";

type Screens = typeof import("../screens/others");
const otherScreens: Piece<Screens> = { load: () => import("../screens/others") };

/** One of the other screens. */
export function OtherScreen({ draw }: { draw: (screens: Screens) => ComponentChild }) {
  return <PieceScreen piece={otherScreens} draw={draw} />;
}
