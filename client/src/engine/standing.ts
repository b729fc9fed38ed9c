/**
 * Consent that stands: a form about somebody who was asked before goes on with it, and asks again
 * only where that is needed or wanted.
 */

import { parseCardCode } from "./cards";
import type { FormDefinition } from "./definition";
import type { Form } from "./form";
import type { AnswerNode } from "./node";
import {
  CONSENT_ASKED,
  CONSENT_STANDING,
  findChoice,
  goesOnAsBefore,
  listChoicesOf,
  STANDING,
  TIER,
} from "./roles";
import { toText } from "./values";

/** What the centre says of a person's consent. Names of fields are the centre's. */
export interface StandingConsent {
  tier: number;
  since: string; // YYYY-MM
  heads: string[]; // ids of what they said, for the next answer to name
  doubt: boolean; // two answers differ: the lower one holds
  wording: string; // of what they were asked; "" where that differs or is not known
}

export type FindStanding = (code: string) => StandingConsent | null;

/** Why a form may not go on with what stands; "" when it may. */
export type AskAgain = "" | "doubt" | "wording" | "no";

/** Whether a form can go on with what stands; else why somebody has to be asked. */
export function whyAsk({ consent_wording }: FormDefinition, consent: StandingConsent): AskAgain {
  if (consent.tier < 1) return "no";
  if (consent.doubt) return "doubt";
  return consent_wording && consent.wording === consent_wording ? "" : "wording";
}

/** What a form shows of the consent of the person that it is about. */
export interface ShownConsent {
  group: AnswerNode; // where it is asked
  tier: number;
  label: string; // the tier in the form's own words
  since: string;
  why: AskAgain;
  isAsBefore: boolean; // the record goes on with it
}

/** The questions about consent of one form that is being filled in. */
export class ConsentQuestions {
  private readonly asksAnew = new Set<string>(); // codes of people whom the worker asks again

  constructor(
    private readonly form: Form,
    private readonly isCorrection: boolean,
  ) {}

  /** Answer by what stands where nobody answered; take that back where it stands no more. */
  follow(find: FindStanding): void {
    const { form, isCorrection } = this;
    const [filled, asked, tier] = this.nodes();
    if (!filled || !asked || !tier || isCorrection) return;
    const text = this.findTier(find);
    const isUnchanged = filled.text === text && this.isAsBefore() === Boolean(text);
    if (isUnchanged) return;
    form.set(filled, text);
    form.set(tier, text);
    if (text) form.set(asked, this.choice);
  }

  /** The tier with which the form may go on now; "" where it has to ask. */
  private findTier(find: FindStanding): string {
    const [filled, asked] = this.nodes();
    const code = this.code();
    const consent = code && !this.asksAnew.has(code) ? find(code) : null;
    const isOpen = !asked!.text || this.isAsBefore();
    if (!consent || !isOpen || !filled!.isRelevant) return "";
    return whyAsk(this.form.definition, consent) ? "" : String(consent.tier);
  }

  /** Ask the person again, or go on with what stands after all. */
  ask(isAnew: boolean, find: FindStanding): void {
    const { form } = this;
    const [filled, asked, tier] = this.nodes();
    if (isAnew) this.asksAnew.add(this.code());
    else this.asksAnew.delete(this.code());
    for (const node of [filled, asked, tier]) if (node) form.set(node, "");
    this.follow(find);
  }

  /** What to show of the consent of whom the form is about; null where nothing is known. */
  show(find: FindStanding, language: string): ShownConsent | null {
    const { form } = this;
    const [filled, , tier] = this.nodes();
    const code = this.code();
    const consent = code ? find(code) : null;
    const isAsBefore = this.isAsBefore();
    const isKnown = isAsBefore || (consent && !this.isCorrection);
    if (!filled?.isRelevant || !tier?.parent || !isKnown) return null;
    const level = isAsBefore ? Number(tier.text) : consent!.tier;
    const option = listChoicesOf(form.definition, TIER).find(({ name }) => name === String(level));
    return {
      group: tier.parent,
      tier: level,
      label: option ? form.labelOf(option, language, tier) : "",
      since: consent?.since ?? "",
      why: consent && !isAsBefore ? whyAsk(form.definition, consent) : "",
      isAsBefore,
    };
  }

  private get choice(): string {
    return findChoice(this.form.definition, CONSENT_ASKED, STANDING)?.name ?? "";
  }

  private nodes(): (AnswerNode | undefined)[] {
    return [CONSENT_STANDING, CONSENT_ASKED, TIER].map((role) => this.form.findWithRole(role));
  }

  private code(): string {
    return parseCardCode(toText(this.form.findWithRole("person")?.value() ?? ""));
  }

  private isAsBefore(): boolean {
    return goesOnAsBefore(this.form.definition, this.form.toJson());
  }
}

/**
 * Whether a group asks nothing but what stands already: such a page is passed over. A group that
 * asks more is shown.
 */
export function isPassedOver(form: Form, node: AnswerNode): boolean {
  const asking = [CONSENT_ASKED, TIER].map((role) => form.findWithRole(role));
  if (asking[1]?.parent !== node || !goesOnAsBefore(form.definition, form.toJson())) return false;
  return node.allChildren().every((child) => {
    const { type, calculate } = child.element;
    return !child.isRelevant || calculate || type === "hidden" || asking.includes(child);
  });
}
