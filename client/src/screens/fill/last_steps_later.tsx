/** Shows and does what comes after the last question, which is loaded when it is needed. */

import type { ComponentChild } from "preact";
import { loadPiece, type Piece } from "../../widgets/piece";
import { PieceScreen } from "../piece_screen";

type LastSteps = typeof import("./last_steps");
const lastSteps: Piece<LastSteps> = { load: () => import("./last_steps") };

export const loadLastSteps = (): Promise<LastSteps> => loadPiece(lastSteps);

export function LastStep({ draw }: { draw: (steps: LastSteps) => ComponentChild }) {
  return <PieceScreen piece={lastSteps} draw={draw} />;
}
