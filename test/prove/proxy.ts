/**
 * Owns the link between a service and PostgreSQL: a proxy in user space that reads the protocol as
 * far as it needs to find a COMMIT and its answer, and that cuts the link at a byte of choice.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** What the pipeline's sessions call themselves. Those of reads are left alone. */
const WRITES = "drawdown writes";
const COMMIT = Buffer.from("Q\0\0\0\x0bCOMMIT\0", "latin1");
/** CommandComplete with its tag, and ReadyForQuery behind it. */
const COMMITTED = Buffer.from("C\0\0\0\x0bCOMMIT\0", "latin1");
const READY_BYTES = 6;

export const COMMIT_BYTES = COMMIT.length;
export const ANSWER_BYTES = COMMITTED.length + READY_BYTES;

export const HOWS = ["reset", "close"] as const;

export type How = (typeof HOWS)[number];

/** Where to cut: so many bytes of it have passed. */
export interface Cut {
  readonly at: "commit" | "answer" | "anywhere";
  readonly bytes: number;
  readonly how: How;
}

/** What a cut met. */
export interface Fallen {
  readonly cut: Cut;
  /** Whether the server had said that it committed. */
  readonly committed: boolean;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  isOfWrites: boolean;
  /** What is left to collect of the answer to a COMMIT that will be cut. */
  answer: Buffer | undefined;
}

export class CutProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #target: { readonly host: string; readonly port: number };
  #armed: Cut | undefined;
  #stays = false;
  #passed = 0;
  #fallen: Fallen | undefined;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#open(client));
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
      });
    });
  }

  async close(): Promise<void> {
    for (const link of this.#links) hangUp(link, "reset");
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Cuts the next exchange; with `stays`, all that follow as well. */
  arm(cut: Cut, stays = false): void {
    this.#armed = cut;
    this.#stays = stays;
    this.#passed = 0;
    this.#fallen = undefined;
  }

  /** Cuts nothing any more, and says what the last cut met; undefined when none fell. */
  disarm(): Fallen | undefined {
    this.#armed = undefined;
    return this.#fallen;
  }

  #open(client: Socket): void {
    const server = connect({ ...this.#target, noDelay: true });
    const link: Link = { client, server, isOfWrites: false, answer: undefined };
    this.#links.add(link);
    let isFirst = true;
    client.on("data", (chunk: Buffer) => {
      if (isFirst) link.isOfWrites = chunk.includes(WRITES);
      isFirst = false;
      this.#fromClient(link, chunk);
    });
    server.on("data", (chunk: Buffer) => this.#fromServer(link, chunk));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("end", () => other.end());
      one.on("close", () => {
        other.destroy();
        this.#links.delete(link);
      });
    }
  }

  #fromClient(link: Link, chunk: Buffer): void {
    const cut = link.isOfWrites ? this.#armed : undefined;
    if (cut?.at === "anywhere") {
      this.#pass(link, { chunk, to: link.server, cut });
      return;
    }
    const begins = cut === undefined ? -1 : chunk.indexOf(COMMIT);
    if (cut === undefined || begins < 0) {
      link.server.write(chunk);
      return;
    }
    if (!this.#stays) this.#armed = undefined;
    if (cut.at === "commit") {
      link.server.write(chunk.subarray(0, begins + cut.bytes));
      this.#fallen = { cut, committed: false };
      hangUp(link, cut.how);
      return;
    }
    // The whole answer is waited for, so that it is known what the server did.
    link.answer = Buffer.alloc(0);
    link.server.write(chunk);
    this.#answerCut.set(link, cut);
  }

  readonly #answerCut = new WeakMap<Link, Cut>();

  #fromServer(link: Link, chunk: Buffer): void {
    if (link.answer === undefined) {
      const cut = link.isOfWrites ? this.#armed : undefined;
      if (cut?.at === "anywhere") this.#pass(link, { chunk, to: link.client, cut });
      else link.client.write(chunk);
      return;
    }
    link.answer = Buffer.concat([link.answer, chunk]);
    const cut = this.#answerCut.get(link);
    if (cut === undefined || link.answer.length < ANSWER_BYTES) return;
    const committed = link.answer.subarray(0, COMMITTED.length).equals(COMMITTED);
    link.client.write(link.answer.subarray(0, cut.bytes));
    this.#fallen = { cut, committed };
    hangUp(link, cut.how);
  }

  /** Counts what passes in either direction, and cuts when the sum is reached. */
  #pass(
    link: Link,
    { chunk, to, cut }: { readonly chunk: Buffer; readonly to: Socket; readonly cut: Cut },
  ): void {
    const left = cut.bytes - this.#passed;
    this.#passed += chunk.length;
    if (chunk.length < left) {
      to.write(chunk);
      return;
    }
    this.#armed = undefined;
    to.write(chunk.subarray(0, Math.max(0, left)));
    this.#fallen = { cut, committed: chunk.includes(COMMITTED) };
    hangUp(link, cut.how);
  }
}

/** Ends both sides of a link. */
export function hangUp(
  { client, server }: { readonly client: Socket; readonly server: Socket },
  how: How,
): void {
  for (const socket of [client, server]) {
    // A socket that is still connecting cannot be reset.
    if (how === "reset" && !socket.connecting) socket.resetAndDestroy();
    else socket.destroySoon();
  }
}
