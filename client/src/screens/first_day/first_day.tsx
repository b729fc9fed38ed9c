/** What a new worker can do first, while nothing was logged on this phone. */

import { t } from "../../i18n";
import { findMainForm } from "../../storage/forms";
import { useApp } from "../state";

export function FirstDay() {
  const { forms } = useApp();
  if (!findMainForm(forms)) return null;
  return (
    <section class="card" aria-labelledby="first-day">
      <h2 id="first-day">{t("Your first day")}</h2>
      <ol class="steps">
        <li>
          {t("Try a practice record. Nothing of it is stored or sent.")}{" "}
          <a href="#/practice">{t("Practice")}</a>
        </li>
        <li>{t("Wait for the green mark above. From then on you can log without a signal.")}</li>
        <li>{t("Then log the first real contact, with the button below.")}</li>
      </ol>
    </section>
  );
}
