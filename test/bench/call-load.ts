/** Owns the loads that are calls: each kind of request, and what must be true of its answer. */
import { randomUUID } from "node:crypto";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { GetBalanceRequestSchema } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import {
  BatchCreateChargesRequestSchema,
  BatchCreateChargesResponseSchema,
  CreateChargeRequestSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import { StreamMovementsRequestSchema } from "../../gen/drawdown/v1/history_service_pb.ts";
import { MovementOrder } from "../../gen/drawdown/v1/movement_pb.ts";
import {
  anyOf,
  type CallKind,
  CHARGE,
  CHARGES_PER_BATCH,
  type CustomerRange,
  customerId,
  type Load,
} from "./load.ts";
import type { Recorder } from "./recorder.ts";
import { BENCH_KEY } from "./spawned-service.ts";

const MOVEMENTS_PER_PAGE = 1_000;

interface Call {
  readonly path: string;
  readonly request: Requests;
  /** How many operations an answer stands for. Throws when it is not what was asked for. */
  readonly operationsOf: (response: Buffer) => number;
}

type Requests = (customers: CustomerRange) => Buffer;

/** What stands in a form where each request has an id of its own. */
const SOME_CUSTOMER = customerId(0);
const SOME_REQUEST = randomUUID();
const SOME_CHARGE: MessageInitShape<typeof CreateChargeRequestSchema> = {
  requestId: SOME_REQUEST,
  customerId: SOME_CUSTOMER,
  settlementMode: SettlementMode.CREDIT_ONLY,
  ...CHARGE,
};

const getBalance = {
  path: "/drawdown.v1.BalanceService/GetBalance",
  request: stamped(GetBalanceRequestSchema, { customerId: SOME_CUSTOMER }),
};

const CALLS: Readonly<Record<CallKind, Call>> = {
  // The empty service answers GetBalance with nothing.
  empty: {
    ...getBalance,
    operationsOf: (response) => {
      if (response.length > 0) throw new Error("an empty call has an empty answer");
      return 1;
    },
  },
  balance: {
    ...getBalance,
    operationsOf: (response) => {
      if (response.length === 0) throw new Error("GetBalance answered nothing");
      return 1;
    },
  },
  charge: {
    path: "/drawdown.v1.ChargeService/CreateCharge",
    request: stamped(CreateChargeRequestSchema, SOME_CHARGE),
    operationsOf: (response) => {
      if (response.length === 0) throw new Error("CreateCharge answered nothing");
      return 1;
    },
  },
  batch: {
    path: "/drawdown.v1.ChargeService/BatchCreateCharges",
    request: stamped(BatchCreateChargesRequestSchema, {
      requests: Array.from({ length: CHARGES_PER_BATCH }, () => SOME_CHARGE),
    }),
    operationsOf: (response) => {
      const { results } = fromBinary(BatchCreateChargesResponseSchema, response);
      const refused = results.find(({ result }) => result.case !== "charge");
      if (refused !== undefined) throw new Error(`refused: ${JSON.stringify(refused.result)}`);
      return results.length;
    },
  },
};

/**
 * Requests of one form. It is encoded once, and each request is a copy with ids of its own written
 * over it: what a client spends on encoding is not what is measured.
 */
function stamped<D extends DescMessage>(schema: D, form: MessageInitShape<D>): Requests {
  const template = asBuffer(toBinary(schema, create(schema, form)));
  const customers = placesOf(template, SOME_CUSTOMER);
  const requests = placesOf(template, SOME_REQUEST);
  return (range) => {
    const bytes = Buffer.from(template);
    for (const at of customers) bytes.write(customerId(anyOf(range)), at, "latin1");
    for (const at of requests) bytes.write(randomUUID(), at, "latin1");
    return bytes;
  };
}

function placesOf(bytes: Buffer, word: string): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(word); at >= 0; at = bytes.indexOf(word, at + 1)) places.push(at);
  return places;
}

function connect(grpc: string): { readonly client: Client; readonly metadata: Metadata } {
  const client = new Client(grpc, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${BENCH_KEY}`);
  return { client, metadata };
}

const pass = (bytes: Buffer) => bytes;

/** Keeps so many calls in flight until the signal says to stop. */
export async function runCalls(
  load: Load & { readonly kind: "calls" },
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const { client, metadata } = connect(load.grpc);
  const { path, request, operationsOf } = CALLS[load.call];
  const send = (bytes: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path, pass, pass, bytes, metadata, (error, response) => {
        if (error !== null) reject(error);
        else resolve(response ?? Buffer.alloc(0));
      });
    });
  const keepCalling = async () => {
    while (!signal.aborted) {
      const bytes = request(load.customers);
      const startedAtMs = performance.now();
      const response = await send(bytes);
      recorder.record(operationsOf(response), startedAtMs);
    }
  };
  try {
    await Promise.all(Array.from({ length: load.inFlight }, keepCalling));
  } finally {
    client.close();
  }
}

/** Streams the movements of a customer from the beginning: once, or again and again. */
export async function runHistory(
  load: Load & { readonly kind: "history" },
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const { client, metadata } = connect(load.grpc);
  const request = create(StreamMovementsRequestSchema, {
    customerId: customerId(load.customer),
    order: MovementOrder.OLDEST_FIRST,
    pageSize: MOVEMENTS_PER_PAGE,
  });
  const bytes = asBuffer(toBinary(StreamMovementsRequestSchema, request));
  try {
    while (!signal.aborted) {
      const path = "/drawdown.v1.HistoryService/StreamMovements";
      const stream = client.makeServerStreamRequest(path, pass, pass, bytes, metadata);
      for await (const page of stream) {
        recorder.count(countMovements(page as Buffer));
        if (signal.aborted) break;
      }
      stream.cancel();
      if (load.once) break;
    }
  } finally {
    client.close();
  }
}

const FIELD_MOVEMENTS = 1;

/** Counts the movements of a page without reading them, so that the client is not what is slow. */
function countMovements(page: Buffer): number {
  let movements = 0;
  let position = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = page[position] ?? 0;
      position += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (position < page.length) {
    const tag = varint();
    if (tag >> 3 === FIELD_MOVEMENTS) movements += 1;
    // Both fields of a page have a length in front of them.
    const length = varint();
    position += length;
  }
  return movements;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
