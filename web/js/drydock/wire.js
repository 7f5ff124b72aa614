// Messages as `crates/view/src/wire.rs` has them: numbers in LEB128, texts and lists after their length.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class Writer {
  #parts = [];

  /** A whole number below 2^64. */
  number(value) {
    const bytes = [];
    let rest = BigInt(value);
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#parts.push(Uint8Array.from(bytes));
    return this;
  }

  bytes(value) {
    this.number(value.length);
    this.#parts.push(value);
    return this;
  }

  text(value) {
    return this.bytes(encoder.encode(value));
  }

  list(values, put) {
    this.number(values.length);
    for (const it of values) put(this, it);
    return this;
  }

  /** A buffer with all of it. */
  done() {
    const res = new Uint8Array(this.#parts.reduce((n, it) => n + it.length, 0));
    let at = 0;
    for (const it of this.#parts) {
      res.set(it, at);
      at += it.length;
    }
    return res.buffer;
  }
}

export class Reader {
  #bytes;
  #at = 0;

  constructor(buffer) {
    this.#bytes = new Uint8Array(buffer);
  }

  /** Exact below 2^53; nothing that comes here is larger. */
  number() {
    let res = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.#at++];
      res += (byte & 0x7f) * factor;
      if (byte < 0x80) return res;
    }
  }

  flag() {
    return this.number() === 1;
  }

  bytes() {
    const n = this.number();
    return this.#bytes.subarray(this.#at, (this.#at += n));
  }

  text() {
    return decoder.decode(this.bytes());
  }

  list(take) {
    return Array.from({ length: this.number() }, () => take(this));
  }
}
