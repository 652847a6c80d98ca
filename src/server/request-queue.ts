/**
 * Owns the requests of a stream both ways on the gRPC port: the next one is only asked for when
 * the handler wants it, so that a fast caller waits.
 */
export class RequestQueue {
  readonly #ask: () => void;
  #waiting: ((result: IteratorResult<Buffer, undefined>) => void) | undefined;
  #ended = false;

  constructor(ask: () => void) {
    this.#ask = ask;
  }

  push(bytes: Buffer): void {
    this.#waiting?.({ done: false, value: bytes });
    this.#waiting = undefined;
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** The requests, each read by `read` when the handler takes it. */
  async *map<T>(read: (bytes: Buffer) => T): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const next = await this.#next();
      if (next.done === true) return;
      yield read(next.value);
    }
  }

  #next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#ask();
    });
  }
}
