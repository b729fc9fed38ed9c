/** What a person said about consent before: in one line, and the way to ask them again. */

import type { AskAgain, ShownConsent } from "../../engine/standing";
import { currentLanguage, t } from "../../i18n";

const WHY_ASK: Record<Exclude<AskAgain, "">, () => string> = {
  doubt: () => t("Two of their answers about consent differ. Ask them again."),
  wording: () => t("What we say about consent has changed. Ask them again."),
  no: () => t("They said no before. Ask them again."),
};

/** A month (YYYY-MM) in words. */
function formatMonth(month: string): string {
  const options = { month: "long", year: "numeric", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(currentLanguage(), options).format(new Date(month));
}

export function StandingLine({
  consent: { why, tier, since, label, isAsBefore },
  ask,
}: {
  consent: ShownConsent;
  ask: (isAnew: boolean) => void;
}) {
  if (why) {
    return (
      <p class="state wait" role="status">
        {WHY_ASK[why]()}
      </p>
    );
  }
  return (
    <section class="standing card" aria-label={t("Consent")}>
      <div>
        <b>
          {t("Consent")} {tier}
          {since && " · "}
          {since && t("since {month}", { month: formatMonth(since) })}
        </b>
        <p class="soft">{label}</p>
      </div>
      <button type="button" class="btn quiet" onClick={() => ask(isAsBefore)}>
        {isAsBefore ? t("Change consent") : t("Leave it as it was")}
      </button>
    </section>
  );
}
