/** Owns the loads that are SQL written by hand: the yardstick and COPY. */
import { readFileSync } from "node:fs";
import pg from "pg";
import { DEFAULT_TENANT_ID } from "../../src/database/migrations/1_ledger.ts";
import { anyOf, customerId, type Load } from "./load.ts";
import type { Recorder } from "./recorder.ts";

export const YARDSTICK_FILE = new URL("yardstick.sql", import.meta.url);

/** What binds a transaction to the tenant, in one message with what begins it. */
export const SET_TENANT = `SET LOCAL app.tenant = '${DEFAULT_TENANT_ID}'`;

/** The statement for pg: its one variable as its one parameter. */
const TEXT = readFileSync(YARDSTICK_FILE, "utf8").replaceAll(":customer", "$1");

/** Makes one charge by hand, in a transaction of its own. */
export async function chargeByHand(client: pg.Client, customer: number): Promise<void> {
  await client.query(`BEGIN; ${SET_TENANT}`);
  const { rowCount } = await client.query({ name: "yardstick", text: TEXT, values: [customer] });
  if (rowCount !== 1) throw new Error("the yardstick made no charge");
  const { command } = await client.query("COMMIT");
  if (command !== "COMMIT") throw new Error(`COMMIT was answered by ${command}`);
}

/** Makes charges by hand on every connection, one after the other. */
export async function runYardstick(
  load: Load & { readonly kind: "yardstick" },
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const keepCharging = async () => {
    const client = new pg.Client({ connectionString: load.url });
    await client.connect();
    try {
      while (!signal.aborted) {
        const startedAtMs = performance.now();
        await chargeByHand(client, anyOf(load.customers));
        recorder.record(1, startedAtMs);
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: load.connections }, keepCharging));
}

/** What a movement is made of, in the columns of the journal. */
const COPIED = `sequence, event, amount, currency, credit_grant_id, charge_id, settled_after,
  booked_at, created_at`;

/** Copies the rows of a customer in the order of the stream: once, or again and again. */
export async function runCopy(
  load: Load & { readonly kind: "copy" },
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const client = new pg.Client({ connectionString: load.url });
  await client.connect();
  try {
    while (!signal.aborted) {
      await client.query(`BEGIN; ${SET_TENANT}`);
      const copy = new CopyOut(
        `COPY (SELECT ${COPIED} FROM transfer WHERE customer_id = '${customerId(load.customer)}'
          ORDER BY sequence) TO STDOUT`,
        recorder,
      );
      client.query(copy as unknown as pg.Submittable);
      await copy.done;
      await client.query("COMMIT");
      if (load.once) break;
    }
  } finally {
    await client.end();
  }
}

/** A COPY TO STDOUT as pg runs queries; it counts the rows and drops them. */
class CopyOut {
  readonly done: Promise<void>;
  readonly #text: string;
  readonly #recorder: Recorder;
  readonly #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void };

  constructor(text: string, recorder: Recorder) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = { resolve, reject };
    this.#text = text;
    this.#recorder = recorder;
  }

  submit(connection: { query(text: string): void }): void {
    connection.query(this.#text);
  }

  handleCopyData(): void {
    this.#recorder.count(1);
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    this.#settle.resolve();
  }
}
