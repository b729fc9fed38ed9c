/** Shows screens that are loaded when they are first opened. */

import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { NotHere } from "../screens/fill/not_here";

type Screens = typeof import("../screens/others");

let loaded: Screens | null = null; // once it is here it stays

/**
 * One of the other screens, drawn once they are here. Where they cannot be loaded, since the phone
 * has no signal before it was ready, it says what to do.
 */
export function OtherScreen({ draw }: { draw: (screens: Screens) => ComponentChild }) {
  const [screens, setScreens] = useState(loaded);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    if (screens) return;
    import("../screens/others").then(
      (module) => setScreens((loaded = module)),
      () => setFailed(true),
    );
  }, []);
  if (screens) return <>{draw(screens)}</>;
  if (!hasFailed) return null;
  return (
    <NotHere
      title={t("This part is not on the phone yet")}
      text={t("Connect once, and wait until it says “Ready offline”.")}
    />
  );
}
