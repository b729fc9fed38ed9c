/** What the tabs of one phone tell each other: that something changed, that all must lock. */

export type Message = "changed" | "lock";

const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("fieldapp");

export function tellTabs(message: Message): void {
  channel?.postMessage(message);
}

export function onTabs(listen: (message: Message) => void): () => void {
  const hear = (event: MessageEvent): void => listen(event.data as Message);
  channel?.addEventListener("message", hear);
  return () => channel?.removeEventListener("message", hear);
}
