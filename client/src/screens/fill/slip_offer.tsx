/** Offering a slip before a record is sealed: only so can the person still do without it. */

import { useRef, useState } from "preact/hooks";
import { makeSlip, splitSlip } from "../../engine/slips";
import { randomBytes } from "../../storage/bytes";
import { t } from "../../i18n";
import { QrCode } from "../people/qr_code";
import { useApp } from "../state";
import { Title } from "../title";

export interface SlipOffer {
  slip: string; // that is offered; "" while none is
  isMade: boolean; // the form is not shown any more
  /** Show a new slip; return it once they have it, "" when they do not want it. */
  make: () => Promise<string>;
  choose: (isTaken: boolean) => void;
  /** Show the form again: the record could not be finished. */
  end: () => void;
}

/** The slip is in memory alone, and no longer than it is shown. */
export function useSlipOffer(): SlipOffer {
  const [slip, setSlip] = useState("");
  const [isMade, setMade] = useState(false);
  const answer = useRef<((slip: string) => void) | null>(null);
  return {
    slip,
    isMade,
    make: () =>
      new Promise((done) => {
        setSlip(makeSlip(randomBytes(12)));
        answer.current = done;
        setMade(true);
      }),
    choose: (isTaken) => {
      setSlip("");
      answer.current?.(isTaken ? slip : "");
    },
    end: () => setMade(false),
  };
}

/** A new slip, shown once, large: to be copied, photographed or printed by whose consent it is. */
export function SlipScreen({ slip, choose }: SlipOffer) {
  const { hide } = useApp();
  if (!slip) return <main class="screen" id="main" />;
  const address = `${location.origin}/r`; // without the slip, which no browser's history is to hold
  return (
    <>
      <header class="top">
        <Title>{t("A slip for them")}</Title>
        <button type="button" class="hide" onClick={hide}>
          {t("Hide")}
        </button>
      </header>
      <main class="screen" id="main">
        <p>{t("Say this, and let them copy it, photograph it or print it:")}</p>
        <section class="card paper stack">
          <p>
            {t(
              "With this slip you see what you agreed to. You can agree to less, or take everything back. Any computer will do. No name is needed.",
            )}
          </p>
          <p class="big code" dir="ltr">
            {splitSlip(slip).join(" ")}
          </p>
          <QrCode text={address} label={t("The address as a QR code")} />
          <bdi class="wrap">{address}</bdi>
        </section>
        <button type="button" class="btn" onClick={() => print()}>
          {t("Print")}
        </button>
        <p class="soft">
          {t(
            "This phone does not keep the slip. If the app closes now, finish the record again and give them the new slip.",
          )}
        </p>
      </main>
      <footer class="foot">
        <button type="button" class="btn main wide" onClick={() => choose(true)}>
          {t("They have it")}
        </button>
        <button type="button" class="btn wide" onClick={() => choose(false)}>
          {t("They do not want it")}
        </button>
      </footer>
    </>
  );
}
