import type { Form } from "../../engine/form";
import type { Json } from "../../engine/types";

/** Where answers go: the phone's sealed store, or nowhere when a form is only tried out. */
export interface Keeper {
  /** `presets`: places of answers that stand as the phone filled them in. */
  save(page: number, answers: Json, presets: string[]): Promise<void>;
  /** Keep the finished answers; whatever comes after them on the screen is the keeper's. */
  finish(answers: Json, form: Form): Promise<void>;
  /** The pages are gone, or about to go, unfinished. */
  close(): Promise<void>;
  discard(): Promise<void>;
  /** Show something else; where the answers are gone, Back must not lead to them. */
  exit(isGone: boolean): void;
  /** Show nothing of it, at once; null where there is nothing to hide. */
  hide: (() => void) | null;
}
