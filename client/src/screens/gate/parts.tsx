/** Pieces of the two screens at the gate: signing in and unlocking. */

import type { ComponentChildren } from "preact";
import { t } from "../../i18n";
import type { Vault } from "../../storage/vault";
import type { Order } from "../../sync/deliver";
import { OtherLanguages } from "./languages";

export interface GateProps {
  about: ComponentChildren; // what is to say about the app itself
  orders: Order[];
  opened: (vault: Vault) => void;
  changeLanguage: (code: string) => void;
}

export function GateLanguages({ changeLanguage }: Pick<GateProps, "changeLanguage">) {
  return (
    <div class="languages">
      <OtherLanguages look="link" changeLanguage={changeLanguage} />
    </div>
  );
}

/** What the centre did to this phone from afar. */
export function OrderNotice({ orders }: Pick<GateProps, "orders">) {
  if (orders.length === 0) return null;
  return (
    <p class="state danger" role="alert">
      {orders.some((order) => order.order === "wipe")
        ? t(
            "The centre has wiped a worker's data off this phone. What was finished is with the centre.",
          )
        : t(
            "The centre has locked this phone. What was finished is with the centre. Sign in with your password to continue.",
          )}
    </p>
  );
}

/** Why the last try did not work. */
export function GateProblem({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p class="state danger" role="alert">
      {text}
    </p>
  );
}
