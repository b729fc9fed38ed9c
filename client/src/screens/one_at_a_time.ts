/** Acts that take a while are done once, however often their button is pressed. */

import { useRef, useState } from "preact/hooks";

/**
 * A function that does `act` unless it is under way, and whether it is. A second tap may come
 * before the button is drawn as off, so what is drawn is not what decides.
 */
export function useOneAtATime<Inputs extends unknown[]>(
  act: (...inputs: Inputs) => Promise<void>,
): [run: (...inputs: Inputs) => void, isBusy: boolean] {
  const isUnderWay = useRef(false);
  const [isBusy, setBusy] = useState(false);
  const run = (...inputs: Inputs): void => {
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    setBusy(true);
    void act(...inputs).finally(() => {
      isUnderWay.current = false;
      setBusy(false);
    });
  };
  return [run, isBusy];
}
