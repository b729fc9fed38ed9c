/** What a form goes on with of its person: what they said about consent, and their intake. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { parseCardCode } from "../../engine/cards";
import type { Form } from "../../engine/form";
import { INTAKE_DAY } from "../../engine/roles";
import { ConsentQuestions, isPassedOver, type ShownConsent } from "../../engine/standing";
import { toText } from "../../engine/values";
import type { Help } from "../../widgets/props";

export interface StandingAnswer {
  shown: ShownConsent | null;
  /** Bring the answers up to what stands, after the form changed. */
  follow: () => void;
  /** Ask them again, or not after all. */
  ask: (isAnew: boolean) => void;
}

/**
 * What stands for whom a form is about. `onFall` is called when it stands no more, as when the
 * centre says so while the form is open.
 */
export function useStanding(
  form: Form,
  { findStanding, findIntake }: Help,
  language: string,
  isCorrection: boolean,
  onFall: () => void,
): StandingAnswer {
  const [, redraw] = useState(0);
  const fillIntakeDay = (): void => {
    const filled = form.findWithRole(INTAKE_DAY);
    const code = parseCardCode(toText(form.findWithRole("person")?.value() ?? ""));
    const day = code && findIntake(code);
    if (filled && !isCorrection && filled.text !== day) form.set(filled, day);
  };
  const questions = useMemo(() => {
    const first = new ConsentQuestions(form, isCorrection);
    first.follow(findStanding);
    fillIntakeDay();
    return first;
  }, []);
  useEffect(() => {
    const before = questions.show(findStanding, language);
    const wasPassedOver = before !== null && isPassedOver(form, before.group);
    questions.follow(findStanding);
    if (wasPassedOver && !isPassedOver(form, before.group)) onFall();
    redraw((n) => n + 1);
  }, [findStanding]);
  return {
    shown: questions.show(findStanding, language),
    follow: () => {
      questions.follow(findStanding);
      fillIntakeDay();
    },
    ask: (isAnew) => questions.ask(isAnew, findStanding),
  };
}
