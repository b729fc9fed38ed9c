/** Shows screens that are loaded when the first of them is opened. */

import type { ComponentChild } from "preact";
import { t } from "../i18n";
import { type Piece, usePiece } from "../widgets/piece";
import { NotHere } from "./fill/not_here";

interface PieceScreenProps<Screens> {
  piece: Piece<Screens>;
  draw: (screens: Screens) => ComponentChild;
}

/** A screen of a piece, once that is here; where it cannot be loaded, what to do. */
export function PieceScreen<Screens extends object>({ piece, draw }: PieceScreenProps<Screens>) {
  const screens = usePiece(piece);
  if (screens === null) return null;
  if (screens !== "failed") return <>{draw(screens)}</>;
  return (
    <NotHere
      title={t("This part is not on the phone yet")}
      text={t("Connect once, and wait until it says “Ready offline”.")}
    />
  );
}
