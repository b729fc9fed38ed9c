import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { words } from "../../engine/functions";
import type { Option } from "../../engine/types";
import { nt, t } from "../../i18n";
import { describeField } from "../props";
import { findMatches, simplify, toggleChoice, type ListProps } from "./choices";

const SHOWN = 8; // matches of a search
const KEYBOARD = 300; // milliseconds until it has come

function describeCount(count: number): string {
  if (count > SHOWN) return nt("{n} match, keep typing", "{n} match, keep typing", count);
  return nt("{n} match", "{n} matches", count);
}

/** What is offered before a letter is typed: a short list, or the last answers. */
function listRecent({ choices, form, node, help }: ListProps): readonly Option[] {
  const recent = help.recent(form.definition.id, node.element.path);
  const offered = recent.flatMap((name) => choices.filter((choice) => choice.name === name));
  return offered.length > 0 ? offered : findMatches(choices, [], "");
}

/** Bring what is being searched to the top: the first matches stand above the keyboard then. */
function makeRoom(event: FocusEvent): void {
  const question = (event.currentTarget as HTMLElement).closest(".question");
  setTimeout(() => question?.scrollIntoView({ block: "start" }), KEYBOARD);
}

/** A long list that is searched by a few letters. */
export function SearchList(props: ListProps) {
  const { node, choices, labelOf, isOne, change } = props;
  const [search, setSearch] = useState("");
  const [isSearching, setSearching] = useState(!node.text);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setSearching(!node.text), [node.text]); // “Use my place” answers too
  const texts = useMemo(
    () => choices.map((choice) => simplify(labelOf(choice))),
    [choices, props.language],
  );
  const chosen = isOne ? [node.text].filter(Boolean) : words(node.text);
  const picked = choices.filter((choice) => chosen.includes(choice.name));
  if (isOne && picked[0] && !isSearching) {
    return (
      <div class="row">
        <b>{labelOf(picked[0])}</b>
        <button
          type="button"
          class="btn quiet"
          id={props.id}
          aria-describedby={props.describedBy}
          onClick={() => {
            setSearching(true);
            setTimeout(() => field.current?.focus()); // the button that had the focus is gone
          }}
        >
          {t("Change: {label}", { label: props.label })}
        </button>
      </div>
    );
  }
  const matches = search.trim() ? findMatches(choices, texts, search) : listRecent(props);
  const first = matches.slice(0, SHOWN);
  const offered = isOne ? first : [...new Set([...picked, ...first])];
  const pick = (name: string, isOn: boolean): void => {
    change(isOne ? name : toggleChoice(choices, chosen, name, isOn));
    setSearching(false);
    setSearch("");
  };
  return (
    <>
      <input
        {...describeField(props)}
        type="search"
        value={search}
        placeholder={t("Type a few letters")}
        autocomplete="off"
        aria-label={props.label}
        ref={field}
        onFocus={makeRoom}
        onInput={(event) => setSearch((event.target as HTMLInputElement).value)}
      />
      <p class="soft" role="status">
        {search.trim() && describeCount(matches.length)}
      </p>
      <div class="choices long">
        {offered.map((choice) => (
          <label class="choice" key={choice.name}>
            <input
              type={isOne ? "radio" : "checkbox"}
              name={`${props.id}-found`}
              value={choice.name}
              checked={chosen.includes(choice.name)}
              onChange={(event) => pick(choice.name, (event.target as HTMLInputElement).checked)}
            />
            <span>{labelOf(choice)}</span>
          </label>
        ))}
      </div>
    </>
  );
}
