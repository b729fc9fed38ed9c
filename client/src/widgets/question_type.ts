/**
 * What a type of question brings along to be asked on the phone. A type that lacks a part does not
 * build.
 */

import type { FunctionComponent } from "preact";
import type { AnswerNode, Form } from "../engine/form";
import { t } from "../i18n";
import type { WidgetProps } from "./props";

export interface QuestionType {
  View: FunctionComponent<WidgetProps>;
  /**
   * Whether it has several fields: then its words are the legend of a fieldset, else the label of a
   * field.
   */
  hasSeveralFields: boolean | ((form: Form, node: AnswerNode) => boolean);
  /** What to say of an answer that is not of this type. */
  describeMistyped: () => string;
}

export const describeNotAllowed = (): string => t("This answer is not allowed.");
