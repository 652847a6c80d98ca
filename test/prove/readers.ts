/**
 * Owns readers who behave badly: of a stream of a long history they read nothing, or read as slowly
 * as they can, or vanish in the middle; over each port and protocol that carries streams.
 */
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  HistoryService,
  StreamMovementsRequestSchema,
} from "../../gen/drawdown/v1/history_service_pb.ts";
import { envelope, h2Open } from "../server/h2.ts";
import type { Replica } from "./replica.ts";
import { AUTHORIZED } from "./wire.ts";

export const HABITS = ["read nothing", "read slowly", "vanish"] as const;

export type Habit = (typeof HABITS)[number];

export interface Reader {
  /** Resolves when the first bytes of the answer have come, or the reader is gone. */
  readonly begun: Promise<void>;
  /** From which it calls; known when it has begun. */
  port(): number | undefined;
  /** How many bytes have come as far as the reader's own machine. */
  received(): number;
  close(): void;
}

const PATH = `/${HistoryService.typeName}/StreamMovements`;
const SLOW_PAUSE_MS = 50;
const SLOW_BYTES = 2_048;

/** Opens a stream of a customer's whole history. The number chooses the protocol. */
export function openReader(
  replica: Pick<Replica, "http" | "grpc">,
  customerId: string,
  { habit, number }: { readonly habit: Habit; readonly number: number },
): Reader {
  const request = create(StreamMovementsRequestSchema, { customerId, pageSize: 1_000 });
  const binary = envelope(toBinary(StreamMovementsRequestSchema, request));
  const json = envelope(toJsonString(StreamMovementsRequestSchema, request));
  const ways = [
    () => overHttp2(`http://${replica.grpc}`, binary),
    () => overHttp2(`http://${replica.http}`, binary),
    () => overHttp1(replica.http, json),
  ];
  const open = ways[number % ways.length];
  if (open === undefined) throw new Error("there is no such way");
  const { source, socket, close } = open();
  let port: number | undefined;
  const begun = new Promise<void>((resolve) => {
    source.once("readable", () => {
      port = socket()?.localPort;
      resolve();
    });
    source.once("close", () => resolve());
  });
  if (habit === "vanish") void begun.then(close);
  if (habit === "read slowly") void begun.then(() => readSlowly(source));
  const received = () => socket()?.bytesRead ?? 0;
  return { begun, port: () => port, received, close };
}

async function readSlowly(source: Readable): Promise<void> {
  while (!source.destroyed) {
    source.read(SLOW_BYTES);
    await sleep(SLOW_PAUSE_MS);
  }
}

function overHttp2(base: string, body: Buffer) {
  const { session, stream } = h2Open({ base, path: PATH, headers: AUTHORIZED, body });
  return { source: stream, socket: () => session.socket, close: () => session.destroy() };
}

function overHttp1(address: string, body: Buffer) {
  const { hostname, port } = new URL(`http://${address}`);
  const source = connect(Number(port), hostname);
  source.on("error", () => undefined);
  const head = [
    `POST ${PATH} HTTP/1.1`,
    `host: ${address}`,
    `authorization: ${AUTHORIZED.authorization}`,
    "content-type: application/connect+json",
    "connect-protocol-version: 1",
    `content-length: ${body.length}`,
  ];
  source.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
  return { source, socket: () => source, close: () => void source.resetAndDestroy() };
}
