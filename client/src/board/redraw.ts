/** Draw the board's new content around a list in which somebody is just choosing. */

const listsIn = (place: ParentNode): HTMLSelectElement[] => [...place.querySelectorAll("select")];

/** What a list says before anybody chooses. */
function preset(list: HTMLSelectElement): string {
  const options = [...list.options];
  return (options.find((one) => one.defaultSelected) ?? options[0])?.value ?? "";
}

/**
 * Replace what is in `place` with `fresh`, all but the form `kept`. What is open stays open, what
 * is chosen stays chosen, and
 * the focus stays where it is. Says whether everything in `fresh` is shown now.
 */
export function redraw(place: HTMLElement, fresh: HTMLElement, kept: HTMLElement | null): boolean {
  const open = [...place.querySelectorAll<HTMLElement>("details[open]")].map((one) => one.id);
  const chosen = listsIn(place).filter((list) => list.value !== preset(list));
  const values = chosen.map((list) => [list.id, list.value] as const);
  const focused = document.activeElement?.id;
  const top = kept?.getBoundingClientRect().top ?? 0;
  let isWhole = true;
  if (kept) isWhole = drawAround(place, fresh, kept);
  else place.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, value] of values) {
    const list = document.getElementById(id);
    const isThere =
      list instanceof HTMLSelectElement && [...list.options].some((one) => one.value === value);
    if (isThere && !kept?.contains(list)) list.value = value;
  }
  if (kept)
    scrollBy(0, kept.getBoundingClientRect().top - top); // it stays under the hand, whatever came above it
  else if (focused && focused !== document.activeElement?.id)
    document.getElementById(focused)?.focus();
  return isWhole;
}

/** Draw all of `place` again but the form in use, which is never moved: a moved list closes. */
function drawAround(place: Element, fresh: Element, kept: HTMLElement): boolean {
  const child = [...place.children].find((one) => one.contains(kept))!;
  const twin = [...fresh.children].find((one) => one.id !== "" && one.id === child.id);
  const nodes = [...fresh.childNodes];
  const at = twin ? nodes.indexOf(twin) : nodes.length;
  for (const node of [...place.childNodes]) if (node !== child) node.remove();
  child.before(...nodes.slice(0, at));
  child.after(...nodes.slice(at + 1));
  if (!twin) return false; // what is being chosen for is gone from the board
  child.className = twin.className;
  return child === kept ? isSame(kept, twin) : drawAround(child, twin, kept);
}

/** Bring what the form in use sends unseen up to date; return whether it offers what is new. */
function isSame(kept: HTMLElement, twin: Element): boolean {
  for (const given of twin.querySelectorAll<HTMLInputElement>("input[type=hidden]")) {
    const mine = kept.querySelector<HTMLInputElement>(
      `input[type=hidden][name="${CSS.escape(given.name)}"]`,
    );
    if (mine) mine.value = given.value;
  }
  const presets = (place: ParentNode): string => listsIn(place).map(preset).join(" ");
  return kept.textContent === twin.textContent && presets(kept) === presets(twin);
}
