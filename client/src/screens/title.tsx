import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

const APP = document.title; // as the page came

/**
 * A heading that takes the focus when its screen opens, so that screen readers say where one is. It
 * names the page; `name` does, where it has words that no browser's history may keep.
 */
export function Title({ children, name }: { children: ComponentChildren; name?: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${name ?? ref.current?.textContent} · ${APP}`;
    scrollTo(0, 0);
    ref.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}
