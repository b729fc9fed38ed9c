import type { AnswerNode, Form } from "../engine/form";

/** What every widget gets: the question, its answer, and where its label, hint and error are for screen readers. */
export interface WidgetProps {
  form: Form;
  node: AnswerNode;
  language: string;
  id: string;
  label: string;
  describedBy: string | undefined;
  isInvalid: boolean;
  change: (text: string) => void;
}

/** The attributes that tie a field to its label, hint and error. */
export function described(props: WidgetProps): Record<string, string | undefined> {
  return { id: props.id, "aria-describedby": props.describedBy, "aria-invalid": props.isInvalid ? "true" : undefined };
}
