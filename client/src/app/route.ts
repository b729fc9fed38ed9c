/** The address of the app: what stands after # in the browser's line. */

import { useEffect, useState } from "preact/hooks";

/** A part of the address; as it stands when somebody mistyped it. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The screen and up to three more parts that an address names: #/card/ABC → ["card", "ABC"]. */
export function parseRoute(route: string): string[] {
  return route.replace(/^#/, "").split("/").slice(1).map(decodePart);
}

/** The invitation in an address, or "". */
export function findInvitation(route: string): string {
  return /^#\/join\/(.+)$/.exec(route)?.[1] ?? "";
}

/** Whether a form is being filled in: nothing else may come between. */
export function isFillingIn(route: string): boolean {
  return /^#\/(fill|start|practice)(\/|$)/.test(route);
}

/** The address, and a function to set it without going there; `invited` gets an invitation. */
export function useRoute(invited: (invitation: string) => void): [string, (route: string) => void] {
  const [route, setRoute] = useState(location.hash);
  useEffect(() => {
    const turn = (): void => {
      const invitation = findInvitation(location.hash);
      if (invitation) {
        history.replaceState(null, "", "#/sign-in"); // it must not stay in the phone's history
        invited(invitation);
      }
      setRoute(location.hash);
    };
    turn();
    addEventListener("hashchange", turn);
    return () => removeEventListener("hashchange", turn);
  }, []);
  return [route, setRoute];
}
