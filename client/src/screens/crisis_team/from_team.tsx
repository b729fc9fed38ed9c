/** What the crisis team gave to this worker, and the way to ask it for something; loaded later. */

import { useState } from "preact/hooks";
import { t } from "../../i18n";
import type { Caseload } from "../../storage/caseload";
import { type Piece, usePiece } from "../../widgets/piece";
import { useApp } from "../state";

type Team = typeof import("./team_later");
const team: Piece<Team> = { load: () => import("./team_later") };

/** Whether the team has something for this worker, or they asked for something. */
function hasNews(caseload: Caseload): boolean {
  const own = Object.keys({ ...caseload.seen, ...caseload.requests });
  return own.length > 0 || Object.keys(caseload.told).some((key) => /^(asked|request)\//.test(key));
}

/** On top of Today; nothing while there is no news. */
export function FromTeam() {
  return hasNews(useApp().book) ? <Later show="News" /> : null;
}

/** The way to ask the team for something. */
export function AskTeam() {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("Ask the crisis team")}</summary>
      {isOpen && <Later show="Ask" />}
    </details>
  );
}

function Later({ show }: { show: keyof Pick<Team, "News" | "Ask"> }) {
  const module = usePiece(team);
  if (module === null) return null;
  if (module === "failed")
    return <p class="state wait">{t("This part is not on the phone yet")}</p>;
  const Part = module[show];
  return <Part />;
}
