/** Fetch a record that was sent, to correct it: only the centre can give it back. */

import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { fetchRecord } from "../../sync/server";
import { Refused } from "../../sync/requests";
import { useOneAtATime } from "../one_at_a_time";
import { Tabs, Top } from "../parts";
import { noteScreen, useApp } from "../state";
import { openCorrection } from "./open_correction";

/** Why a record did not come back, in words for the worker. */
export function describeFetchProblem(error: unknown): string {
  if (!(error instanceof Refused))
    return t("No connection to the centre just now. Nothing is lost.");
  if (error.code !== "access.not_found") return error.message;
  return t(
    "The centre does not give it back: it is older than two weeks, or became no record. Ask your centre.",
  );
}

export function FetchRecord({ id }: { id: string }) {
  const app = useApp();
  const [status, setStatus] = useState("");
  const [fetchToCorrect, isBusy] = useOneAtATime(async () => {
    setStatus(t("One moment …"));
    const { token, receipts } = app.vault.account;
    const isHere = noteScreen();
    try {
      const record = await fetchRecord(token, receipts, id);
      // With a weak signal that takes a while, and they may be in another form by now.
      if (isHere()) await openCorrection(app, id, record);
    } catch (error) {
      setStatus(describeFetchProblem(error));
    }
  });
  return (
    <>
      <Top title={t("Correct a record")} />
      <main class="screen" id="main">
        <p>{t("This phone does not have it any more. The centre gives it back only to you.")}</p>
        {status && (
          <p class="state" role="status">
            {status}
          </p>
        )}
      </main>
      <footer class="foot">
        <button
          type="button"
          class="btn main wide"
          disabled={isBusy}
          onClick={() => fetchToCorrect()}
        >
          {t("Get the record from the centre")}
        </button>
        <a class="btn wide" href="#/mine">
          {t("Back")}
        </a>
      </footer>
      <Tabs here="mine" />
    </>
  );
}
