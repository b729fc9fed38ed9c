import { useState } from "preact/hooks";
import { words } from "../../engine/functions";
import { nt } from "../../i18n";
import { toggleChoice, type ListProps } from "./choices";

const SHOWN = 8; // cards before "more"
const LONG_LABEL = 34; // characters that need a line of their own

/** A card for each choice; a long list is folded. */
export function Cards(props: ListProps) {
  const { node, choices, labelOf, isOne, change } = props;
  const [isOpen, setOpen] = useState(false);
  const chosen = isOne ? [node.text] : words(node.text);
  const isFolded = !isOpen && choices.length > SHOWN + 1;
  const isSeen = (name: string, index: number): boolean =>
    !isFolded || index < SHOWN || chosen.includes(name);
  const cards = choices.filter((choice, index) => isSeen(choice.name, index));
  const pick = (name: string, isOn: boolean): void =>
    change(isOne ? name : toggleChoice(choices, chosen, name, isOn));
  const isLong =
    (node.element.appearance ?? "").includes("columns-1") ||
    choices.some((choice) => labelOf(choice).length > LONG_LABEL);
  return (
    <>
      <div class={isLong ? "choices long" : "choices"}>
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
      </div>
      {isFolded && (
        <button type="button" class="link more" onClick={() => setOpen(true)}>
          {nt("{n} more", "{n} more", choices.length - cards.length)}
        </button>
      )}
    </>
  );
}
