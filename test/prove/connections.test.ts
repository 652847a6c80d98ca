import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { leftOpen } from "./connections.ts";

const TRIES_MAX = 20;

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that keeps what has come to it, ended by its peer or not, until it is told. */
async function listen() {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    sockets.push(socket);
    socket.on("error", () => undefined).resume();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, accepted };
}

async function call(port: number, localPort = 0): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localPort });
  sockets.push(socket);
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

async function hangUp(socket: Socket): Promise<number> {
  const port = socket.localPort ?? 0;
  socket.destroy();
  await new Promise((resolve) => socket.once("close", resolve));
  return port;
}

/** One comes and goes, and another comes from the same port to the other one. */
async function comeAfter(one: number, other: number) {
  for (let tries = 1; ; tries += 1) {
    const gone = await call(one);
    const theirPort = gone.localPort ?? 0;
    // A reset leaves no TIME_WAIT behind, so that the port is free at once.
    gone.resetAndDestroy();
    try {
      return { later: await call(other, theirPort), theirPort };
    } catch (error) {
      // Another process of this machine was faster.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EADDRINUSE" || tries === TRIES_MAX) throw error;
    }
  }
}

describe("R7 connections of readers who are gone", () => {
  test("one that the service keeps is seen, until it lets go", async () => {
    const { port, accepted } = await listen();
    const theirs = new Set([await hangUp(await call(port))]);

    await expect.poll(() => leftOpen([port], theirs)).toHaveLength(1);
    await expect.poll(() => accepted.length).toBe(1);
    accepted[0]?.destroy();
    await expect.poll(() => leftOpen([port], theirs)).toEqual([]);
  });

  test("somebody who came later from the same port to the other one is none of them", async () => {
    const [one, other] = [await listen(), await listen()];
    const { later, theirPort } = await comeAfter(one.port, other.port);

    expect(later.localPort).toBe(theirPort);
    const listening = [one.port, other.port];
    await expect.poll(() => leftOpen(listening, new Set([theirPort]))).toEqual([]);
    await hangUp(later);
    await expect.poll(() => leftOpen(listening, new Set([theirPort]))).toHaveLength(1);
  });
});
