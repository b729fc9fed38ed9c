/** How the app looks: as the phone does, light, dark, or for bright sun. */

export const LOOKS = ["auto", "light", "dark", "outdoor"] as const;
export type Look = (typeof LOOKS)[number];

const KEY = "fieldapp.look";

export function readLook(): Look {
  const stored = localStorage.getItem(KEY) as Look | null;
  return stored && LOOKS.includes(stored) ? stored : "auto";
}

export function applyLook(look: Look = readLook()): void {
  localStorage.setItem(KEY, look);
  document.documentElement.dataset["look"] = look;
}
