import { useEffect, useMemo, useState } from "preact/hooks";
import type { AnswerNode } from "../../engine/node";
import type { Form } from "../../engine/form";
import type { Option } from "../../engine/types";
import { words } from "../../engine/functions";
import { nt, t } from "../../i18n";
import { MyPlace } from "../place_by_fix/view";
import { described, type WidgetProps } from "../props";

const SHOWN = 8; // cards before "more"
const FOUND = 8; // matches of a search
const LONG_LABEL = 34;
const SEARCH_FROM = 30; // a longer list is searched, not scrolled

/** Whether a select is one native field, and so has a label of its own. */
export function isDropDown(form: Form, node: AnswerNode): boolean {
  const { type, appearance } = node.element;
  if (type !== "select_one" || !(appearance ?? "").includes("minimal")) return false;
  return form.options(node).length <= SEARCH_FROM;
}

export function SelectWidget(props: WidgetProps) {
  const { form, node } = props;
  const choices = form.options(node);
  const label = (choice: Option): string => form.labelOf(choice, props.language, node);
  const isOne = node.element.type === "select_one";
  const looks = (node.element.appearance ?? "").split(" ");
  if (choices.length === 0) return <p class="soft">{t("Nothing to choose from yet.")}</p>;
  const shown = (
    <Choices {...props} choices={choices} labelOf={label} isOne={isOne} looks={looks} />
  );
  if (!looks.includes("my-place")) return shown;
  return (
    <>
      {shown}
      <MyPlace {...props} choices={choices} labelOf={label} />
    </>
  );
}

function Choices(props: ListProps & { looks: string[] }) {
  const { form, node, choices, looks, labelOf: label, isOne } = props;
  if (choices.length > SEARCH_FROM || looks.includes("autocomplete") || looks.includes("search"))
    return <SearchList {...props} choices={choices} labelOf={label} isOne={isOne} />;
  if (isDropDown(form, node)) {
    return (
      <select
        {...described(props)}
        value={node.text}
        onChange={(event) => props.change((event.target as HTMLSelectElement).value)}
      >
        <option value="">{t("Choose")}</option>
        {choices.map((choice) => (
          <option key={choice.name} value={choice.name}>
            {label(choice)}
          </option>
        ))}
      </select>
    );
  }
  return <Cards {...props} choices={choices} labelOf={label} isOne={isOne} />;
}

type ListProps = WidgetProps & {
  choices: readonly Option[];
  labelOf: (choice: Option) => string;
  isOne: boolean;
};

/** The names chosen once one is switched on or off, in the order of the list. */
function toggled(
  choices: readonly Option[],
  chosen: string[],
  name: string,
  isOn: boolean,
): string {
  const next = new Set(chosen);
  if (isOn) next.add(name);
  else next.delete(name);
  return choices
    .filter((choice) => next.has(choice.name))
    .map((choice) => choice.name)
    .join(" ");
}

function Cards(props: ListProps) {
  const { node, choices, labelOf, isOne, change } = props;
  const [isOpen, setOpen] = useState(false);
  const chosen = isOne ? [node.text] : words(node.text);
  const isFolded = !isOpen && choices.length > SHOWN + 1;
  const shown = isFolded
    ? choices.filter((choice, index) => index < SHOWN || chosen.includes(choice.name))
    : choices;
  const pick = (name: string, isOn: boolean): void =>
    change(isOne ? name : toggled(choices, chosen, name, isOn));
  const isLong =
    (node.element.appearance ?? "").includes("columns-1") ||
    choices.some((choice) => labelOf(choice).length > LONG_LABEL);
  return (
    <>
      <div class={isLong ? "choices long" : "choices"}>
        {shown.map((choice) => (
          <label class="choice" key={choice.name}>
            <input
              type={isOne ? "radio" : "checkbox"}
              name={props.id}
              value={choice.name}
              checked={chosen.includes(choice.name)}
              aria-describedby={props.describedBy}
              onChange={(event) => pick(choice.name, (event.target as HTMLInputElement).checked)}
            />
            <span>{labelOf(choice)}</span>
          </label>
        ))}
      </div>
      {isFolded && (
        <button type="button" class="link more" onClick={() => setOpen(true)}>
          {nt("{n} more", "{n} more", choices.length - shown.length)}
        </button>
      )}
    </>
  );
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function SearchList(props: ListProps) {
  const { node, choices, labelOf, isOne, change } = props;
  const [search, setSearch] = useState("");
  const [isSearching, setSearching] = useState(!node.text);
  useEffect(() => setSearching(!node.text), [node.text]); // “Use my place” answers too
  const searched = useMemo(
    () => choices.map((choice) => plain(labelOf(choice))),
    [choices, props.language],
  );
  const chosen = isOne ? [node.text].filter(Boolean) : words(node.text);
  const held = choices.filter((choice) => chosen.includes(choice.name));
  if (isOne && held[0] && !isSearching) {
    return (
      <div class="row">
        <b>{labelOf(held[0])}</b>
        <button
          type="button"
          class="btn quiet"
          id={props.id}
          aria-describedby={props.describedBy}
          onClick={() => setSearching(true)}
        >
          {t("Change: {label}", { label: props.label })}
        </button>
      </div>
    );
  }
  const typed = plain(search).split(/\s+/).filter(Boolean);
  const found = typed.length
    ? choices.filter((_, index) => typed.every((word) => searched[index]!.includes(word)))
    : choices.length <= FOUND
      ? choices
      : [];
  const shown = isOne ? found.slice(0, FOUND) : [...new Set([...held, ...found.slice(0, FOUND)])];
  return (
    <>
      <input
        {...described(props)}
        type="search"
        value={search}
        placeholder={t("Type a few letters")}
        autocomplete="off"
        aria-label={props.label}
        onInput={(event) => setSearch((event.target as HTMLInputElement).value)}
      />
      <p class="soft" role="status">
        {typed.length > 0 &&
          (found.length > FOUND
            ? nt("{n} match, keep typing", "{n} match, keep typing", found.length)
            : nt("{n} match", "{n} matches", found.length))}
      </p>
      <div class="choices long">
        {shown.map((choice) => (
          <label class="choice" key={choice.name}>
            <input
              type={isOne ? "radio" : "checkbox"}
              name={`${props.id}-found`}
              value={choice.name}
              checked={chosen.includes(choice.name)}
              onChange={(event) => {
                const isOn = (event.target as HTMLInputElement).checked;
                change(isOne ? choice.name : toggled(choices, chosen, choice.name, isOn));
                setSearching(false);
                setSearch("");
              }}
            />
            <span>{labelOf(choice)}</span>
          </label>
        ))}
      </div>
    </>
  );
}
