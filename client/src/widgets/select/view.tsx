import type { Option } from "../../engine/types";
import { t } from "../../i18n";
import { MyPlace } from "../place_by_fix/view";
import { describeField, listAppearances, type WidgetProps } from "../props";
import { describeNotAllowed, type QuestionType } from "../question_type";
import { Cards } from "./cards";
import { isDropDown, SEARCH_FROM, type ListProps } from "./choices";
import { SearchList } from "./search_list";

function SelectWidget(props: WidgetProps) {
  const { form, node, language } = props;
  const choices = form.options(node);
  const labelOf = (choice: Option): string => form.labelOf(choice, language, node);
  if (choices.length === 0) return <p class="soft">{t("Nothing to choose from yet.")}</p>;
  const isOne = node.element.type === "select_one";
  const list = <List {...props} choices={choices} labelOf={labelOf} isOne={isOne} />;
  if (!listAppearances(node).includes("my-place")) return list;
  return (
    <>
      {list}
      <MyPlace {...props} choices={choices} labelOf={labelOf} />
    </>
  );
}

function List(props: ListProps) {
  const { form, node, choices } = props;
  const appearances = listAppearances(node);
  const isSearched = appearances.includes("autocomplete") || appearances.includes("search");
  if (isSearched || choices.length > SEARCH_FROM) return <SearchList {...props} />;
  return isDropDown(form, node) ? <DropDown {...props} /> : <Cards {...props} />;
}

function DropDown(props: ListProps) {
  const { node, choices, labelOf, change } = props;
  return (
    <select
      {...describeField(props)}
      value={node.text}
      onChange={(event) => change((event.target as HTMLSelectElement).value)}
    >
      <option value="">{t("Choose")}</option>
      {choices.map((choice) => (
        <option key={choice.name} value={choice.name}>
          {labelOf(choice)}
        </option>
      ))}
    </select>
  );
}

export const select_one: QuestionType = {
  View: SelectWidget,
  hasSeveralFields: (form, node) => !isDropDown(form, node),
  describeMistyped: describeNotAllowed,
};
export const select_multiple: QuestionType = { ...select_one, hasSeveralFields: true };
