/** How the app looks: as the phone does, light, dark, or for bright sun. */

export const LOOKS = ["auto", "light", "dark", "outdoor"] as const;
export type Look = (typeof LOOKS)[number];

const KEY = "fieldapp.look";

export function currentLook(): Look {
  const held = localStorage.getItem(KEY) as Look | null;
  return held && LOOKS.includes(held) ? held : "auto";
}

export function wearLook(look: Look = currentLook()): void {
  localStorage.setItem(KEY, look);
  document.documentElement.dataset["look"] = look;
}
