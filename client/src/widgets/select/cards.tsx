import { useMemo, useState } from "preact/hooks";
import { words } from "../../engine/functions";
import { nt } from "../../i18n";
import { listAppearances } from "../props";
import { putLikelyFirst, toggleChoice, type ListProps } from "./choices";

const SHOWN = 8; // cards before "more"
const SHOWN_PACKED = 5; // of small ones, those that this worker picks most
const LONG_LABEL = 34; // characters that need a line of their own

/** A card for each choice; a long list is folded. */
export function Cards(props: ListProps) {
  const { node, labelOf, isOne, change, help } = props;
  const [isOpen, setOpen] = useState(false);
  const appearances = listAppearances(node);
  const isLikelyFirst = appearances.includes("likely-first");
  const choices = useMemo(
    () =>
      isLikelyFirst ? putLikelyFirst(props.choices, help.usual(node.element.path)) : props.choices,
    [props.choices],
  );
  const isPacked = appearances.includes("columns-pack");
  const most = isLikelyFirst && isPacked ? SHOWN_PACKED : SHOWN;
  const chosen = isOne ? [node.text] : words(node.text);
  const isFolded = !isOpen && choices.length > most + 1;
  const isSeen = (name: string, index: number): boolean =>
    !isFolded || index < most || chosen.includes(name);
  const cards = choices.filter((choice, index) => isSeen(choice.name, index));
  const pick = (name: string, isOn: boolean): void =>
    change(isOne ? name : toggleChoice(props.choices, chosen, name, isOn));
  const isLong =
    appearances.includes("columns-1") ||
    choices.some((choice) => labelOf(choice).length > LONG_LABEL);
  const spread = isLong ? " long" : "";
  const shape = isPacked ? " pack" : spread;
  const more = isFolded && (
    <button type="button" class="link more" onClick={() => setOpen(true)}>
      {nt("{n} more", "{n} more", choices.length - cards.length)}
    </button>
  );
  return (
    <>
      <div class={`choices${shape}`}>
        {cards.map((choice) => (
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
        {isPacked && more}
      </div>
      {!isPacked && more}
    </>
  );
}
