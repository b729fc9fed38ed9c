/** The screen that shows a slip to whose consent it is. */

import { splitSlip } from "../../engine/slips";
import { t } from "../../i18n";
import { QrCode } from "../people/qr_code";
import { useApp } from "../state";
import { Title } from "../title";
import type { SlipOffer } from "./slip_offer";

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
