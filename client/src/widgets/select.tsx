import { useState } from "preact/hooks";
import { inLanguage, type Choice } from "../engine/definition";
import { nt, t } from "../i18n";
import { described, type WidgetProps } from "./props";

const SHOWN = 8; // cards before "more"
const FOUND = 8; // matches of a search
const LONG_LABEL = 34;
const SEARCH_FROM = 30; // a longer list is searched, not scrolled

export function SelectWidget(props: WidgetProps) {
  const { form, node } = props;
  const choices = form.definition.choices[node.element.choices ?? ""] ?? [];
  const label = (choice: Choice): string => form.plain(inLanguage(choice.label, props.language), node) || choice.name;
  const isOne = node.element.type === "select_one";
  if (isOne && choices.length > SEARCH_FROM) return <SearchList {...props} choices={choices} labelOf={label} />;
  if (isOne && (node.element.appearance ?? "").includes("minimal")) {
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

type ListProps = WidgetProps & { choices: Choice[]; labelOf: (choice: Choice) => string };

function Cards(props: ListProps & { isOne: boolean }) {
  const { node, choices, labelOf, isOne, change } = props;
  const [isOpen, setOpen] = useState(false);
  const chosen = node.text.split(" ").filter(Boolean);
  const isFolded = !isOpen && choices.length > SHOWN + 1;
  const shown = isFolded ? choices.filter((choice, index) => index < SHOWN || chosen.includes(choice.name)) : choices;
  const pick = (name: string, isOn: boolean): void => {
    if (isOne) return change(name);
    const next = new Set(chosen);
    if (isOn) next.add(name);
    else next.delete(name);
    change(
      choices
        .filter((choice) => next.has(choice.name))
        .map((choice) => choice.name)
        .join(" "),
    );
  };
  const isLong = choices.some((choice) => labelOf(choice).length > LONG_LABEL);
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
  const { node, choices, labelOf, change } = props;
  const [search, setSearch] = useState("");
  const [isSearching, setSearching] = useState(!node.text);
  const held = choices.find((choice) => choice.name === node.text);
  if (held && !isSearching) {
    return (
      <div class="row">
        <b>{labelOf(held)}</b>
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
  const words = plain(search).split(/\s+/).filter(Boolean);
  const found = choices.filter((choice) => words.every((word) => plain(labelOf(choice)).includes(word)));
  const shown = words.length ? found.slice(0, FOUND) : [];
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
        {words.length > 0 &&
          (found.length > FOUND
            ? nt("{n} match, keep typing", "{n} match, keep typing", found.length)
            : nt("{n} match", "{n} matches", found.length))}
      </p>
      <div class="choices long">
        {shown.map((choice) => (
          <label class="choice" key={choice.name}>
            <input
              type="radio"
              name={`${props.id}-found`}
              value={choice.name}
              checked={choice.name === node.text}
              onChange={() => {
                change(choice.name);
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
