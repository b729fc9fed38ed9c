/**
 * digest() of the expression language: MD5 (RFC 1321), SHA-1 and the SHA-2 family (FIPS 180-4).
 *
 * Browsers offer hashing only to code that can wait, and the usual library weighs three times as
 * much as this. It is for comparing with what other systems made; nothing is kept secret by it.
 * tests/conformance proves it against Python's hashlib.
 */

const PRIMES: number[] = [];
for (let number = 2; PRIMES.length < 80; number++)
  if (PRIMES.every((prime) => number % prime > 0)) PRIMES.push(number);

/** UTF-8; a lone half of a pair becomes “?”, as on the server. */
const encode = (text: string): number[] => [
  ...new TextEncoder().encode(text.replace(/\p{Surrogate}/gu, "?")),
];

/** The message with its padding and its length in bits at the end, in blocks. */
function padded(message: number[], block: number, isLittle: boolean): number[] {
  const bytes = [...message, 0x80];
  // 8 bytes for the length, 16 in the larger blocks
  while (bytes.length % block !== block - block / 8) bytes.push(0);
  if (block > 64) bytes.push(...Array<number>(8).fill(0));
  const size = [...Array(8).keys()].map(
    (at) => Math.floor((message.length * 8) / 2 ** (8 * at)) % 256,
  );
  return [...bytes, ...(isLittle ? size : size.reverse())];
}

/**
 * MD5 and SHA-1 work on 32-bit words alike; they differ in their rounds, in byte order, and in how
 * the words grow.
 */
function words32(bytes: number[], start: number, isLittle: boolean): number[] {
  return [...Array(16).keys()].map((word) => {
    const four = bytes.slice(start + 4 * word, start + 4 * word + 4);
    return (isLittle ? four.reverse() : four).reduce((value, byte) => (value << 8) | byte, 0);
  });
}

const turn = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

function bytes32(state: number[], isLittle: boolean): number[] {
  return state.flatMap((word) => {
    const four = [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
    return isLittle ? four.reverse() : four;
  });
}

const add32 = (state: number[], work: number[]): number[] =>
  state.map((value, at) => (value + work[at]!) | 0);

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];

function md5(message: number[]): number[] {
  const turns = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const bytes = padded(message, 64, true);
  let state = START;
  for (let start = 0; start < bytes.length; start += 64) {
    const words = words32(bytes, start, true);
    let work = state;
    for (let round = 0; round < 64; round++) {
      const [a, b, c, d] = work as [number, number, number, number];
      const part = round >> 4;
      const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][part]!;
      const word = words[(round * [1, 5, 3, 7][part]! + [0, 1, 5, 0][part]!) % 16]!;
      const constant = Math.floor(Math.abs(Math.sin(round + 1)) * 2 ** 32);
      const sum = (a + mixed + constant + word) | 0;
      work = [d, (b + turn(sum, turns[4 * part + (round % 4)]!)) | 0, b, c];
    }
    state = add32(state, work);
  }
  return bytes32(state, true);
}

function sha1(message: number[]): number[] {
  const bytes = padded(message, 64, false);
  let state = [...START, 0xc3d2e1f0];
  for (let start = 0; start < bytes.length; start += 64) {
    const words = words32(bytes, start, false);
    for (let at = 16; at < 80; at++)
      words.push(turn(words[at - 3]! ^ words[at - 8]! ^ words[at - 14]! ^ words[at - 16]!, 1));
    let work = state;
    for (let round = 0; round < 80; round++) {
      const [a, b, c, d, e] = work as [number, number, number, number, number];
      const part = Math.floor(round / 20);
      const mixed = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][part]!;
      const constant = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][part]!;
      work = [(turn(a, 5) + mixed + e + constant + words[round]!) | 0, a, turn(b, 30), c, d];
    }
    state = add32(state, work);
  }
  return bytes32(state, false);
}

/**
 * The first `bits` bits behind the point of a prime's square or cube root: where SHA-2 takes its
 * constants from.
 */
function rootBits(prime: number, power: bigint, bits: bigint): bigint {
  const target = BigInt(prime) << (power * bits);
  let low = 0n;
  let high = 1n << (bits + 9n);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** power <= target) low = middle;
    else high = middle;
  }
  return low & ((1n << bits) - 1n);
}

type EightWords = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

function sha2(message: number[], bits: 32 | 64, isShort = false): number[] {
  const width = BigInt(bits);
  const mask = (1n << width) - 1n;
  const rounds = bits === 32 ? 64 : 80;
  const [s0, s1, t0, t1] =
    bits === 32
      ? [[7n, 18n, 3n], [17n, 19n, 10n], [2n, 13n, 22n], [6n, 11n, 25n]]
      : [[1n, 8n, 7n], [19n, 61n, 6n], [28n, 34n, 39n], [14n, 18n, 41n]]; // prettier-ignore
  const right = (value: bigint, by: bigint): bigint =>
    ((value >> by) | (value << (width - by))) & mask;
  const small = (value: bigint, by: bigint[]): bigint =>
    right(value, by[0]!) ^ right(value, by[1]!) ^ (value >> by[2]!);
  const large = (value: bigint, by: bigint[]): bigint =>
    right(value, by[0]!) ^ right(value, by[1]!) ^ right(value, by[2]!);
  const constants = PRIMES.slice(0, rounds).map((prime) => rootBits(prime, 3n, width));
  let state = PRIMES.slice(isShort ? 8 : 0, isShort ? 16 : 8).map((prime) =>
    rootBits(prime, 2n, width),
  );
  const size = bits / 8;
  const bytes = padded(message, bits * 2, false);
  for (let start = 0; start < bytes.length; start += 16 * size) {
    const words = [...Array(16).keys()].map((at) =>
      bytes
        .slice(start + at * size, start + (at + 1) * size)
        .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
    );
    for (let at = 16; at < rounds; at++)
      words.push(
        (small(words[at - 2]!, s1!) +
          words[at - 7]! +
          small(words[at - 15]!, s0!) +
          words[at - 16]!) &
          mask,
      );
    let work = state;
    for (let round = 0; round < rounds; round++) {
      const [a, b, c, d, e, f, g, h] = work as EightWords;
      const first =
        h + large(e, t1!) + ((e & f) ^ (~e & g & mask)) + constants[round]! + words[round]!;
      const second = large(a, t0!) + ((a & b) ^ (a & c) ^ (b & c));
      work = [(first + second) & mask, a, b, c, (d + first) & mask, e, f, g];
    }
    state = state.map((value, at) => (value + work[at]!) & mask);
  }
  const whole = state.flatMap((word) =>
    [...Array(size).keys()].map((at) => Number((word >> BigInt(8 * (size - 1 - at))) & 255n)),
  );
  return isShort ? whole.slice(0, 48) : whole;
}

const ALGORITHMS: Record<string, (data: number[]) => number[]> = {
  MD5: md5,
  "SHA-1": sha1,
  "SHA-256": (data) => sha2(data, 32),
  "SHA-384": (data) => sha2(data, 64, true),
  "SHA-512": (data) => sha2(data, 64),
};

/** The digest of a text in UTF-8; "" for an algorithm or encoding that there is not. */
export function digest(text: string, algorithm: string, encoding: string): string {
  const hash = ALGORITHMS[algorithm.toUpperCase()];
  if (!hash || (encoding !== "base64" && encoding !== "hex")) return "";
  const data = hash(encode(text));
  return encoding === "hex"
    ? data.map((byte) => byte.toString(16).padStart(2, "0")).join("")
    : btoa(String.fromCharCode(...data));
}
