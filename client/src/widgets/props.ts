import type { Outlines } from "../engine/areas";
import type { Form } from "../engine/form";
import type { AnswerNode } from "../engine/node";
import type { FindStanding } from "../engine/standing";

/** What the phone around a form can help with. */
export interface Help {
  people: { code: string; label: string }[]; // cards of the worker's own caseload
  newCard: () => string;
  /** How often each choice of the question at a path was picked on this phone. */
  usual: (path: string) => Record<string, number>;
  findIntake: (code: string) => string; // the day of a card's last intake
  findStanding: FindStanding; // what stands of the consent of a card's person
  shift?: string; // when the shift began that is on, with its offset; "" for none
  areaLists: () => Promise<string[]>; // choice lists whose outlines are on the phone
  outlines: (list: string) => Promise<Outlines | null>;
  hasRoom: (bytes: number) => Promise<boolean>;
  hasVoiceNotes: boolean;
  /** The last answers of a question of the form, by its path, the newest first. */
  recent: (form: string, path: string) => string[];
}

export const NO_HELP: Help = {
  people: [],
  newCard: () => "",
  usual: () => ({}),
  findIntake: () => "",
  findStanding: () => null,
  areaLists: () => Promise.resolve([]),
  outlines: () => Promise.resolve(null),
  hasRoom: () => Promise.resolve(true),
  hasVoiceNotes: true,
  recent: () => [],
};

/** What every widget gets: the question, its answer, and what names it for screen readers. */
export interface WidgetProps {
  form: Form;
  node: AnswerNode;
  language: string;
  id: string;
  label: string;
  describedBy: string | undefined;
  isInvalid: boolean;
  help: Help;
  change: (text: string) => void;
  set: (node: AnswerNode, text: string) => void; // another question's answer
}

/** The attributes that tie a field to its label, hint and error. */
export function describeField(props: WidgetProps): Record<string, string | undefined> {
  return {
    id: props.id,
    "aria-describedby": props.describedBy,
    "aria-invalid": props.isInvalid ? "true" : undefined,
  };
}

/** The words of a question's appearance. */
export function listAppearances(node: AnswerNode): string[] {
  return (node.element.appearance ?? "").split(" ");
}
