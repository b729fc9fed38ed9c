import { described, type WidgetProps } from "./props";

export function TextWidget(props: WidgetProps) {
  const { node, change } = props;
  const appearance = node.element.appearance ?? "";
  const input = (event: Event): void => change((event.target as HTMLInputElement).value);
  if (appearance.includes("multiline")) {
    return <textarea {...described(props)} rows={4} value={node.text} onInput={input} autocomplete="off" />;
  }
  if (appearance.includes("card-code")) {
    const upper = (event: Event): void => change((event.target as HTMLInputElement).value.toUpperCase().trim());
    return (
      <input
        {...described(props)}
        class="code"
        type="text"
        value={node.text}
        onInput={upper}
        maxLength={10}
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
      />
    );
  }
  return (
    <input
      {...described(props)}
      type="text"
      class={appearance.includes("masked") ? "masked" : undefined}
      inputMode={appearance.includes("numbers") ? "numeric" : undefined}
      value={node.text}
      onInput={input}
      autocomplete="off"
    />
  );
}
