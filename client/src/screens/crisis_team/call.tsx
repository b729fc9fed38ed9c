/** That the crisis team sends this worker somewhere, above whatever screen they are on. */

import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import type { Assignment, Caseload } from "../../storage/caseload";
import { useApp } from "../state";

const BUZZ = [300, 150, 300]; // milliseconds
const ON_TOP = { position: "sticky", insetBlockStart: 0, zIndex: 4, borderRadius: 0 } as const;

/** What this worker has not said to have seen, by since when it is theirs. */
export function listUnseen(book: Caseload): string[] {
  return Object.keys(book.told)
    .filter((key) => key.startsWith("asked/"))
    .map((key): [string, Assignment] => [key.slice("asked/".length), book.told[key] as Assignment])
    .filter(([name, { seen, assigned }]) => !seen && book.seen[name]?.assigned !== assigned)
    .map(([, { assigned }]) => assigned);
}

/** Today says itself what it is; a form that was begun is kept. */
export function Call({ route }: { route: string }) {
  const unseen = listUnseen(useApp().book);
  const newest = unseen.sort().at(-1);
  useEffect(() => {
    if (newest) navigator.vibrate?.(BUZZ);
  }, [newest]);
  if (!newest || /^#\/today/.test(route)) return null;
  return (
    <div class="state danger" role="alert" style={ON_TOP}>
      <a href="#/today">{t("You were asked to go")}</a>
    </div>
  );
}
