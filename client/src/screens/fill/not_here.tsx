import { Tabs } from "../parts";
import { Title } from "../title";

/** In place of a form that cannot be shown: what is the matter, and the way back. */
export function NotHere({ title, text }: { title: string; text: string }) {
  return (
    <>
      <main class="screen" id="main">
        <Title>{title}</Title>
        <p>{text}</p>
      </main>
      <Tabs here="today" />
    </>
  );
}
