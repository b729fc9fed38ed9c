/** What the engine uses beyond the language itself; every browser and Node have it. */

declare function atob(text: string): string;
declare function btoa(text: string): string;
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare const crypto: { getRandomValues(array: Uint8Array): Uint8Array };
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  decode(data: Uint8Array): string;
}
