/**
 * Owns the link between a client and a service: a proxy that passes bytes on without looking at
 * them, counts them, and cuts the link when so many have passed in one direction.
 */
import { createServer, type Server, type Socket, connect as toSocket } from "node:net";
import { type How, hangUp } from "./proxy.ts";

export const DIRECTIONS = ["to service", "to client"] as const;

export type Direction = (typeof DIRECTIONS)[number];

export interface LinkCut {
  readonly direction: Direction;
  /** So many bytes have passed, counted from the beginning of the connection. */
  readonly bytes: number;
  readonly how: How;
}

export class LinkProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #armed: LinkCut | undefined;
  #hasFallen = false;
  #passed: Record<Direction, number> = { "to service": 0, "to client": 0 };

  /** `address` is where the service listens, as its ready line says it. */
  constructor(address: string) {
    const { hostname, port } = new URL(`http://${address}`);
    this.#target = { host: hostname, port: Number(port) };
    this.#server = createServer({ noDelay: true }, (client) => this.#open(client));
  }

  /** Resolves with the address to call instead. */
  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(`127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
      });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Cuts the next link; undefined cuts none and only counts. */
  arm(cut: LinkCut | undefined): void {
    this.#armed = cut;
    this.#hasFallen = false;
    this.#passed = { "to service": 0, "to client": 0 };
  }

  get hasFallen(): boolean {
    return this.#hasFallen;
  }

  /** What has passed since it was armed. */
  get passed(): Readonly<Record<Direction, number>> {
    return this.#passed;
  }

  #open(client: Socket): void {
    const server = toSocket({ ...this.#target, noDelay: true });
    const link = { client, server };
    // Each link has its own cut: a client that connects again gets through.
    const cut = this.#armed;
    this.#armed = undefined;
    const left = { "to service": Number.POSITIVE_INFINITY, "to client": Number.POSITIVE_INFINITY };
    if (cut !== undefined) left[cut.direction] = cut.bytes;
    const pass = (direction: Direction, chunk: Buffer, to: Socket) => {
      this.#passed[direction] += chunk.length;
      const room = left[direction];
      left[direction] -= chunk.length;
      if (chunk.length < room || cut === undefined) {
        to.write(chunk);
        return;
      }
      if (room > 0) to.write(chunk.subarray(0, room));
      this.#hasFallen = true;
      hangUp(link, cut.how);
    };
    client.on("data", (chunk: Buffer) => pass("to service", chunk, server));
    server.on("data", (chunk: Buffer) => pass("to client", chunk, client));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("end", () => other.end());
      one.on("close", () => {
        other.destroy();
        this.#sockets.delete(one);
      });
    }
  }
}
