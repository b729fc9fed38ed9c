/** Shows screens that are loaded when the first of them is opened. */

import type { ComponentChild } from "preact";
import { t } from "../i18n";
import { NotHere } from "../screens/fill/not_here";
import { otherScreens, type Screens } from "../screens/others_piece";
import { usePiece } from "../widgets/piece";

/** One of the other screens, once they are here; where they cannot be loaded, what to do. */
export function OtherScreen({ draw }: { draw: (screens: Screens) => ComponentChild }) {
  const screens = usePiece(otherScreens);
  if (screens === null) return null;
  if (screens !== "failed") return <>{draw(screens)}</>;
  return (
    <NotHere
      title={t("This part is not on the phone yet")}
      text={t("Connect once, and wait until it says “Ready offline”.")}
    />
  );
}
