/** What a type of question consists of on the phone. A type that lacks a part does not build. */

import type { FunctionComponent } from "preact";
import type { Form } from "../engine/form";
import type { AnswerNode } from "../engine/node";
import { t } from "../i18n";
import type { WidgetProps } from "./props";

export interface QuestionType {
  View: FunctionComponent<WidgetProps>;
  /** Several fields have a fieldset and its legend around them, a single one has a label. */
  hasSeveralFields: boolean | ((form: Form, node: AnswerNode) => boolean);
  /** What to say of an answer that is not of this type. */
  describeMistyped: () => string;
}

export const describeNotAllowed = (): string => t("This answer is not allowed.");
