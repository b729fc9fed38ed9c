/**
 * A page for tests of what is on the screen. Import it before the modules under test: some of them
 * look for the page as they are loaded.
 */

import { Window } from "happy-dom";
import { render, type ComponentChild } from "preact";
import { act } from "preact/test-utils";
import { setGlobal } from "./browser";

// Each test file has modules and globals of its own, but all share one page: it is dear to make.
const shared = globalThis as { testPage?: { window: Window; root: HTMLElement | null } };
const page = (shared.testPage ??= {
  window: new Window({ url: "http://localhost/app/" }),
  root: null,
});
const { window } = page;

const NAMES = [
  "CSS",
  "DOMParser",
  "FormData",
  "HTMLElement",
  "HTMLInputElement",
  "HTMLScriptElement",
  "HTMLSelectElement",
  "addEventListener",
  "customElements",
  "document",
  "getComputedStyle",
  "history",
  "localStorage",
  "location",
  "matchMedia",
  "removeEventListener",
  "scrollBy",
  "scrollTo",
] as const;

/** A timer of an app that nobody uses any more must not keep the tests from ending. */
const nodeTimer = globalThis.setTimeout;
function startTimer(run: () => void, wait = 0): NodeJS.Timeout {
  const timer = nodeTimer(run, wait);
  return wait > 1000 ? timer.unref() : timer;
}

/** Put the page in place, with what a test's browser offers besides (navigator.geolocation, …). */
export function installPage(offers: object = {}): void {
  for (const name of NAMES) {
    const value = window[name as keyof Window] as unknown;
    const isFunction = typeof value === "function" && /^[a-z]/.test(name);
    setGlobal(name, isFunction ? (value as () => unknown).bind(window) : value);
  }
  document.documentElement.lang = "en";
  setGlobal("setTimeout", startTimer);
  setGlobal("requestIdleCallback", (run: () => void) => startTimer(run));
  setGlobal("BroadcastChannel", undefined); // Node's keeps the process from ending
  setGlobal("navigator", { language: "en", userAgent: "test", onLine: true, ...offers });
}
installPage();

/** Let promises, effects and what they set off come to rest. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await act(() => new Promise((done) => setTimeout(done, 0)));
  }
}

/** Wait for what a worker would see or the phone would hold. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if (await check()) return;
    await act(() => new Promise((done) => setTimeout(done, 5)));
  }
  throw new Error(`It did not come about: ${check.toString()}`);
}

type Target = string | Element;

/** What was rendered, as a person meets it. */
export class Shown {
  constructor(readonly root: HTMLElement) {}

  /** Everything that can be read, with single spaces. */
  get text(): string {
    return readText(this.root);
  }

  find<E extends HTMLElement = HTMLElement>(target: Target): E {
    const element = typeof target === "string" ? this.root.querySelector<E>(target) : target;
    if (!element) throw new Error(`There is no ${String(target)} in ${this.root.innerHTML}`);
    return element as E;
  }

  has(selector: string): boolean {
    return this.root.querySelector(selector) !== null;
  }

  all<E extends HTMLElement = HTMLElement>(selector: string): E[] {
    return [...this.root.querySelectorAll<E>(selector)];
  }

  texts(selector: string): string[] {
    return this.all(selector).map(readText);
  }

  /** A button or link by what it says or is called. */
  button(name: string): HTMLButtonElement {
    const buttons = this.all<HTMLButtonElement>("button, a");
    const names = buttons.map((each) => each.getAttribute("aria-label") ?? readText(each));
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`There is no button “${name}” among ${names.join(", ")}`);
    return buttons[index]!;
  }

  async click(target: Target): Promise<void> {
    const isName = typeof target === "string" && !/^[.#[a-z]/.test(target);
    await act(() => (isName ? this.button(target) : this.find(target)).click());
    await settle();
  }

  async press(target: Target, key: string): Promise<void> {
    await act(() => {
      const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
      this.find(target).dispatchEvent(event as unknown as Event);
    });
  }

  /** Type a text into a field, or choose an option of a list. */
  async enter(target: Target, text: string): Promise<void> {
    const field = this.find<HTMLInputElement>(target);
    await act(() => {
      field.value = text;
      const name = field.tagName === "SELECT" ? "change" : "input";
      field.dispatchEvent(new window.Event(name, { bubbles: true }) as unknown as Event);
    });
    await settle();
  }

  async submit(target: Target = "form"): Promise<void> {
    await act(() => {
      const event = new window.Event("submit", { bubbles: true, cancelable: true });
      this.find(target).dispatchEvent(event as unknown as Event);
    });
    await settle();
  }
}

/** The text of an element as it is read, without what is hidden. */
export function readText(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  for (const hidden of copy.querySelectorAll("[hidden], option")) hidden.remove();
  return (copy.textContent ?? "").replace(/\s+/g, " ").trim();
}

/** Render something into an empty page. */
export async function show(content: ComponentChild): Promise<Shown> {
  const before = page.root;
  if (before) await act(() => render(null, before));
  document.body.innerHTML = '<div id="app"></div>';
  const root = document.getElementById("app")!;
  page.root = root;
  await act(() => render(content, root));
  await settle();
  return new Shown(root);
}

/** Take everything off the page, and wait until what it had set off has come to rest. */
export async function leave(): Promise<void> {
  await show(null);
  for (let round = 0; round < 10; round++) await settle();
  await act(() => new Promise((done) => setTimeout(done, 50)));
}

/** Put HTML into the page, as the server would send it. */
export function showHtml(html: string): Shown {
  document.body.innerHTML = html;
  return new Shown(document.body);
}

/** Go to an address as the browser does. */
export function goTo(hash: string): void {
  location.hash = hash;
}

export function dispatch(target: EventTarget, name: string): void {
  target.dispatchEvent(new window.Event(name, { bubbles: true }) as unknown as Event);
}

/** Answer every question of the browser like this; the questions are in what is returned. */
export function setConfirm(isSure: boolean): string[] {
  const questions: string[] = [];
  setGlobal("confirm", (question: string) => {
    questions.push(question);
    return isSure;
  });
  return questions;
}
