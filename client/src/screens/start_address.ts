/** Addresses of forms that are begun with something already said. */

import type { FormDefinition } from "../engine/definition";
import { CHECK_IN, findChoice, KIND } from "../engine/roles";

interface Start {
  code?: string; // card of the person
  kind?: string; // choice of the question about the kind
  due?: string; // the follow-up that it does, or the record that it follows up
}

/** Where a form begins; makeInitialAnswers reads it. */
export function makeStartAddress(form: string, { code = "", kind = "", due = "" }: Start): string {
  const address = `#/start/${form}/${encodeURIComponent(`${code}|${kind}`)}`;
  return due ? `${address}/${encodeURIComponent(due)}` : address;
}

/** The kind of a contact with somebody who has a card; "" where the form does not say which. */
export function findCheckIn(contact: FormDefinition): string {
  return findChoice(contact, KIND, CHECK_IN)?.name ?? "";
}
