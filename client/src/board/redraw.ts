/** Draw the board's new content around a list in which somebody is just choosing. */

const listsIn = (place: ParentNode): HTMLSelectElement[] => [...place.querySelectorAll("select")];

/** What a list says before anybody chooses. */
function readPreset(list: HTMLSelectElement): string {
  const options = [...list.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
}

/** The mark of the state from which a form's step is taken. */
const findMark = (form: HTMLFormElement | null): HTMLInputElement | null =>
  form?.querySelector<HTMLInputElement>("input[name=revision]") ?? null;

interface Choice {
  list: string;
  value: string;
  mark: string; // of the state in which it was chosen
}

/** What somebody did on the board that a new one must not undo, by the ids of its elements. */
interface Doings {
  open: string[]; // details that are unfolded
  chosen: Choice[];
  refused: Element[]; // what was told about steps that were not taken
  focused: string | undefined;
}

function readDoings(place: HTMLElement): Doings {
  const open = [...place.querySelectorAll<HTMLElement>("details[open]")];
  const chosen = listsIn(place).filter((list) => list.value !== readPreset(list));
  return {
    open: open.map(({ id }) => id),
    chosen: chosen.map(({ id, value, form }) => ({
      list: id,
      value,
      mark: findMark(form)?.value ?? "",
    })),
    refused: [...place.querySelectorAll(".refused")],
    focused: document.activeElement?.id,
  };
}

/**
 * Choose again what was chosen in the lists that still offer it; the form in use is left alone. The
 * step goes on naming the state in which it was chosen, so that the centre can say what changed;
 * `toldIn`: the form whose chooser was just told.
 */
function restoreChoices(chosen: Choice[], inUse: HTMLElement | null, toldIn = ""): void {
  for (const { list: id, value, mark } of chosen) {
    const list = document.getElementById(id);
    if (!(list instanceof HTMLSelectElement) || inUse?.contains(list)) continue;
    if (![...list.options].some((option) => option.value === value)) continue;
    list.value = value;
    const field = findMark(list.form);
    if (field && list.form?.id !== toldIn) field.value = mark;
  }
}

/** Put what was refused back into its card; where that is gone, it is told above the board. */
function restoreRefused(refused: Element[]): void {
  for (const notice of refused) {
    const card = document.getElementById((notice as HTMLElement).dataset["of"] ?? "");
    if (!notice.isConnected) (card ?? document.getElementById("board-refusals"))?.prepend(notice);
  }
}

/** The card under the pointer or with the focus: it must not slide away under a click. */
function findHeld(place: HTMLElement): { id: string; top: number } | null {
  const pointed = place.querySelector<HTMLElement>("article:hover");
  const focused = document.activeElement;
  const card =
    pointed ?? (place.contains(focused) ? focused!.closest<HTMLElement>("article") : null);
  return card?.id ? { id: card.id, top: card.getBoundingClientRect().top } : null;
}

/** What was done with the form of a step: its choice is let go, or its chooser was told. */
export interface StepMade {
  form: string; // its id
  isDone: boolean;
}

/**
 * Replace what is in `place` with `fresh`, all but the form in use. What is open stays open, what
 * is chosen stays chosen, and the focus stays where it is. Returns whether everything in `fresh` is
 * on the board now.
 */
export function redraw(
  place: HTMLElement,
  fresh: HTMLElement,
  inUse: HTMLElement | null,
  taken?: StepMade,
): boolean {
  const { open, chosen, refused, focused } = readDoings(place);
  if (!inUse) {
    const anchor = findHeld(place);
    const isLeft = (id: string): boolean =>
      !taken?.isDone || !document.getElementById(taken.form)?.contains(document.getElementById(id));
    const left = chosen.filter(({ list }) => isLeft(list));
    place.replaceChildren(...fresh.childNodes);
    unfold(open);
    restoreChoices(left, null, taken?.form);
    restoreRefused(refused);
    if (focused && focused !== document.activeElement?.id) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
    const card = anchor && document.getElementById(anchor.id);
    if (card) scrollBy(0, card.getBoundingClientRect().top - anchor.top);
    return true;
  }
  const top = inUse.getBoundingClientRect().top;
  const isWhole = drawAround(place, fresh, inUse);
  unfold(open);
  restoreChoices(chosen, inUse);
  restoreRefused(refused);
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
  const twin = [...fresh.children].find((element) => isTwin(element, child));
  const nodes = [...fresh.childNodes];
  const at = twin ? nodes.indexOf(twin) : nodes.length;
  for (const node of [...place.childNodes]) if (node !== child) node.remove();
  child.before(...nodes.slice(0, at));
  child.after(...nodes.slice(at + 1));
  if (!twin) return false; // what is being chosen for is gone from the board
  child.className = twin.className;
  copyNews(child as HTMLElement, twin as HTMLElement);
  return child === inUse ? updateForm(inUse, twin) : drawAround(child, twin, inUse);
}

/** Parts of the board have ids; the row of a card's steps is found by its class. */
function isTwin(element: Element, child: Element): boolean {
  return child.id ? element.id === child.id : element.className === child.className;
}

/** Say of a card that it is new, or that it is not any more. */
function copyNews(child: HTMLElement, twin: HTMLElement): void {
  const what = twin.dataset["new"];
  if (what === undefined) delete child.dataset["new"];
  else child.dataset["new"] = what;
}

/** Return whether the form in use offers what is new; what it sends names what its user saw. */
function updateForm(inUse: HTMLElement, twin: Element): boolean {
  const listPresets = (form: ParentNode): string => listsIn(form).map(readPreset).join(" ");
  return inUse.textContent === twin.textContent && listPresets(inUse) === listPresets(twin);
}
