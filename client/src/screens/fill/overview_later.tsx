/** Shows the overview, and what follows a form: loaded when the first form is opened. */

import type { ComponentProps } from "preact";
import { t } from "../../i18n";
import { type Piece, usePiece } from "../../widgets/piece";

type Module = typeof import("./overview");
const overview: Piece<Module> = { load: () => import("./overview") };

/** Fetch the overview while the worker answers. */
export const fetchOverview = (): void => void overview.load().catch(() => undefined);

export function OverviewLater(props: ComponentProps<Module["Overview"]>) {
  const module = usePiece(overview);
  if (module === null) return null;
  // Without it the record can still be finished.
  if (module === "failed") return <p class="error">{t("This part is not on the phone yet")}</p>;
  return <module.Overview {...props} />;
}

export function FollowersLater(props: ComponentProps<Module["Followers"]>) {
  const module = usePiece(overview);
  return module && module !== "failed" && <module.Followers {...props} />;
}
