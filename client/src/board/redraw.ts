/** Draw the board's new content around a list in which somebody is just choosing. */

const listsIn = (place: ParentNode): HTMLSelectElement[] => [...place.querySelectorAll("select")];

/** What a list says before anybody chooses. */
function readPreset(list: HTMLSelectElement): string {
  const options = [...list.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
}

/** What somebody did on the board that a new one must not undo, by the ids of its elements. */
interface Doings {
  open: string[]; // details that are unfolded
  chosen: [list: string, value: string][];
  focused: string | undefined;
}

function readDoings(place: HTMLElement): Doings {
  const open = [...place.querySelectorAll<HTMLElement>("details[open]")];
  const chosen = listsIn(place).filter((list) => list.value !== readPreset(list));
  return {
    open: open.map(({ id }) => id),
    chosen: chosen.map(({ id, value }) => [id, value]),
    focused: document.activeElement?.id,
  };
}

/** Choose again what was chosen in the lists that still offer it; the form in use is left alone. */
function restoreChoices(chosen: Doings["chosen"], inUse: HTMLElement | null): void {
  for (const [id, value] of chosen) {
    const list = document.getElementById(id);
    if (!(list instanceof HTMLSelectElement) || inUse?.contains(list)) continue;
    if ([...list.options].some((option) => option.value === value)) list.value = value;
  }
}

/**
 * Replace what is in `place` with `fresh`, all but the form in use. What is open stays open, what
 * is chosen stays chosen, and the focus stays where it is. Returns whether everything in `fresh` is
 * on the board now.
 */
export function redraw(place: HTMLElement, fresh: HTMLElement, inUse: HTMLElement | null): boolean {
  const { open, chosen, focused } = readDoings(place);
  if (!inUse) {
    place.replaceChildren(...fresh.childNodes);
    unfold(open);
    restoreChoices(chosen, null);
    if (focused && focused !== document.activeElement?.id) {
      document.getElementById(focused)?.focus();
    }
    return true;
  }
  const top = inUse.getBoundingClientRect().top;
  const isWhole = drawAround(place, fresh, inUse);
  unfold(open);
  restoreChoices(chosen, inUse);
  // It stays under the hand, whatever came above it.
  scrollBy(0, inUse.getBoundingClientRect().top - top);
  return isWhole;
}

function unfold(ids: string[]): void {
  for (const id of ids) document.getElementById(id)?.setAttribute("open", "");
}

/** Draw all of `place` again but the form in use, which is never moved: a moved list closes. */
function drawAround(place: Element, fresh: Element, inUse: HTMLElement): boolean {
  const child = [...place.children].find((element) => element.contains(inUse))!;
  const twin = [...fresh.children].find(({ id }) => id !== "" && id === child.id);
  const nodes = [...fresh.childNodes];
  const at = twin ? nodes.indexOf(twin) : nodes.length;
  for (const node of [...place.childNodes]) if (node !== child) node.remove();
  child.before(...nodes.slice(0, at));
  child.after(...nodes.slice(at + 1));
  if (!twin) return false; // what is being chosen for is gone from the board
  child.className = twin.className;
  return child === inUse ? updateForm(inUse, twin) : drawAround(child, twin, inUse);
}

/** Bring what the form in use sends unseen up to date; return whether it offers what is new. */
function updateForm(inUse: HTMLElement, twin: Element): boolean {
  for (const { name, value } of twin.querySelectorAll<HTMLInputElement>("input[type=hidden]")) {
    const field = inUse.querySelector<HTMLInputElement>(
      `input[type=hidden][name="${CSS.escape(name)}"]`,
    );
    if (field) field.value = value;
  }
  const listPresets = (form: ParentNode): string => listsIn(form).map(readPreset).join(" ");
  return inUse.textContent === twin.textContent && listPresets(inUse) === listPresets(twin);
}
