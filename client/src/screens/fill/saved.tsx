/** After a record was finished: where it is, how to take it back, and what may come next. */

import { useEffect, useState } from "preact/hooks";
import { findFormWithRole, FOLLOWS, REFERRAL } from "../../engine/roles";
import { t } from "../../i18n";
import { HOLD_TIME, isHeld, release, releaseHidden } from "../../storage/hold";
import type { OutboxLine } from "../../storage/outbox";
import { useOneAtATime } from "../one_at_a_time";
import { DataState, LedgerList, Tabs, Top } from "../parts";
import { makeStartAddress } from "../start_address";
import { useApp } from "../state";
import { changeFinished } from "./change_finished";
import { Elsewhere } from "./elsewhere";
import { SlipTaken } from "./slip_taken";

/** How long a record is still held back, as it is said. */
type TimeLeft = "minute" | "half" | "";

/**
 * Hold the record that was just finished back for a minute, or until the worker goes on. What comes
 * after is like any other record: it can be changed until it was sent.
 */
function useHold(id: string): [TimeLeft, sendNow: () => void] {
  const { exchange } = useApp();
  const [left, setLeft] = useState<TimeLeft>(isHeld(id) ? "minute" : "");
  const sendNow = (): void => {
    release(id);
    setLeft("");
    void exchange();
  };
  useEffect(() => {
    if (!isHeld(id)) return void exchange();
    const timers = [
      setTimeout(() => setLeft("half"), HOLD_TIME / 2),
      setTimeout(sendNow, HOLD_TIME),
    ];
    const leaveHidden = (): void => {
      releaseHidden();
      if (!isHeld(id)) setLeft("");
    };
    document.addEventListener("visibilitychange", leaveHidden);
    return () => {
      document.removeEventListener("visibilitychange", leaveHidden);
      for (const timer of timers) clearTimeout(timer);
      release(id);
      // When the app was locked, what waits goes out without anybody in.
      if (!/^#\/(saved|clock)/.test(location.hash)) void exchange();
    };
  }, [id]);
  return [left, sendNow];
}

export function Saved({ form, then, id }: { form: string; then: string; id: string }) {
  const { forms, lines } = useApp();
  const [left, sendNow] = useHold(id);
  const line = lines.find((each) => each.id === id);
  if (!line || line.state === "deleted") return <Elsewhere id={id} as="fill" />;
  const isWaiting = line.state === "waiting";
  const referral = findFormWithRole(forms, REFERRAL);
  const asksReferral = then === "refer";
  // Another follow-up begins with what is due: by itself it would belong to no record.
  const isFollowUp = Boolean(forms.find((each) => each.id === form)?.summary[FOLLOWS]);
  return (
    <>
      <Top title={isWaiting ? t("Saved on this phone") : t("At the centre")} />
      <main class="screen" id="main">
        <div class={isWaiting ? "done wait" : "done"} aria-hidden="true">
          ✓
        </div>
        {line.hasCopy && <TakeBack line={line} left={left} sendNow={sendNow} />}
        <DataState />
        <section class="card">
          <LedgerList />
        </section>
      </main>
      <footer class="foot">
        {asksReferral && referral && (
          <a class="btn main wide" href={makeStartAddress(referral.id, { code: line.code ?? "" })}>
            {t("Log the referral")}
          </a>
        )}
        {!isFollowUp && (
          <a class={asksReferral ? "btn wide" : "btn main wide"} href={`#/start/${form}`}>
            {t("Log another")}
          </a>
        )}
        <a class={isFollowUp ? "btn main wide" : "btn wide"} href="#/today">
          {t("Done")}
        </a>
      </footer>
      <Tabs here="new" />
    </>
  );
}

interface TakeBackProps {
  line: OutboxLine;
  left: TimeLeft;
  sendNow: () => void;
}

/** Undo while it is held back, then change it, then correct it. */
function TakeBack({ line, left, sendNow }: TakeBackProps) {
  const app = useApp();
  const [change, isBusy] = useOneAtATime(() => changeFinished(app, line));
  const isOpen = line.state === "waiting" && !line.hasSlip;
  const later = isOpen ? t("Change the record") : t("Correct the record");
  return (
    <section class="card">
      {line.hasSlip && <SlipTaken />}
      {left && (
        <p role="status">
          {left === "minute"
            ? t(
                "You can undo this for a minute. Then the record is sent, or as soon as you continue.",
              )
            : t("You can undo this for half a minute more.")}
        </p>
      )}
      <div class="quick">
        <button type="button" class="btn" disabled={isBusy} onClick={() => change()}>
          {left ? t("Undo") : later}
        </button>
        {left && (
          <button type="button" class="btn quiet" onClick={sendNow}>
            {t("Send now")}
          </button>
        )}
      </div>
    </section>
  );
}
