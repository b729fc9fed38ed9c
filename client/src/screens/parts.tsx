/** Pieces that several screens use. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { nt, t } from "../i18n";
import { useApp } from "./state";

/** A heading that takes the focus when its screen opens, so that screen readers say where one is. */
export function Title({ children }: { children: ComponentChildren }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Tabs({ here }: { here: "today" | "new" | "mine" }) {
  const tabs = [
    ["today", t("Today")],
    ["new", t("New")],
    ["mine", t("Mine")],
  ] as const;
  return (
    <nav class="tabs" aria-label={t("Main")}>
      {tabs.map(([key, label]) => (
        <a key={key} href={`#/${key}`} aria-current={key === here ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

export function clock(moment: number): string {
  const date = new Date(moment);
  const isToday = date.toDateString() === new Date().toDateString();
  const options: Intl.DateTimeFormatOptions = isToday
    ? { hour: "2-digit", minute: "2-digit" }
    : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(date);
}

/** Where one's data is, in words, always in one place. */
export function DataState() {
  const { ledger, outcome } = useApp();
  const last = ledger.lastDeliveredAt ? " " + t("Last sent {when}.", { when: clock(ledger.lastDeliveredAt) }) : "";
  if (ledger.lost > 0) {
    return (
      <p class="state danger" role="status">
        {nt(
          "{n} record is missing from this phone. Tell your centre.",
          "{n} records are missing from this phone. Tell your centre.",
          ledger.lost,
        )}
      </p>
    );
  }
  if (outcome === "signed-out") {
    return (
      <p class="state danger" role="status">
        {t("The centre has signed this phone out. Your work is still here.")}{" "}
        <a href="#/sign-in">{t("Sign in again")}</a>
      </p>
    );
  }
  if (ledger.waiting > 0) {
    return (
      <p class="state wait" role="status">
        {nt("{n} saved on this phone, not yet sent.", "{n} saved on this phone, not yet sent.", ledger.waiting)}{" "}
        {t("It goes by itself when there is signal.")}
        {last}
      </p>
    );
  }
  if (ledger.made === 0)
    return (
      <p class="state" role="status">
        {t("Nothing saved on this phone yet.")}
      </p>
    );
  return (
    <p class="state safe" role="status">
      {t("All sent: everything is safe with the centre.")}
      {last}
    </p>
  );
}
