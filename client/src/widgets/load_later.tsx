/** Shows widgets that are loaded when the first of them is shown. */

import type { ComponentType, FunctionComponent } from "preact";
import { t } from "../i18n";
import { type Piece, usePiece } from "./piece";

type RareWidgets = typeof import("./rare_widgets");
const rareWidgets: Piece<RareWidgets> = { load: () => import("./rare_widgets") };

/** A widget in whose place stands, until it is here, that it is on its way; or nothing. */
export function loadLater<Props extends object>(
  pick: (widgets: RareWidgets) => ComponentType<Props>,
  isSilent = false,
): FunctionComponent<Props> {
  return function LoadedLater(props: Props) {
    const widgets = usePiece(rareWidgets);
    if (isSilent && (widgets === null || widgets === "failed")) return null;
    if (widgets === null) return <p class="soft">{t("One moment …")}</p>;
    if (widgets === "failed") {
      return <p class="error">{t("This part is not on the phone yet")}</p>;
    }
    const Widget = pick(widgets);
    return <Widget {...props} />;
  };
}
