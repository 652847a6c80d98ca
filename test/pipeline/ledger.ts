/**
 * Owns a pipeline over a database of its own, for tests of what the pipeline does: commands go in
 * as verbs, without any protocol around them.
 */
import { createHash } from "node:crypto";
import pg from "pg";
import type { Book } from "../../src/book/book.ts";
import type { Need } from "../../src/book/need.ts";
import { type Database, openDatabase } from "../../src/database/data-source.ts";
import { DEFAULT_TENANT_ID } from "../../src/database/migrations/1_ledger.ts";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import { makeId } from "../../src/ledger/ids.ts";
import { instant } from "../../src/money/time.ts";
import type { Write } from "../../src/pipeline/job.ts";
import type { PipelineObserver } from "../../src/pipeline/observer.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";

export const TENANT = DEFAULT_TENANT_ID as TenantId;

export interface TestLedger {
  readonly database: TestDatabase;
  readonly connections: Database;
  readonly pipeline: Pipeline;
  readonly superuser: pg.Client;
  /** Another replica over the same database. */
  replica(): Promise<{ readonly pipeline: Pipeline; close(): Promise<void> }>;
  /** Makes a customer without any credit. */
  customer(): Promise<CustomerId>;
  /** Makes a customer who shares a lane with another one. */
  customerBeside(other: CustomerId): Promise<CustomerId>;
  /** Moves the ledger's clock. */
  shiftClock(interval: string): Promise<void>;
  close(): Promise<void>;
}

export async function openLedger(observer?: PipelineObserver): Promise<TestLedger> {
  const database = await cloneDatabase();
  const superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  const connect = async () => {
    const connections = await openDatabase({
      findUrl: () => database.appUrl,
      runAsRole: false,
      readPoolMax: 4,
      writePoolMax: 4,
    });
    const random32 = () => Math.floor(Math.random() * 2 ** 32);
    const { reads, writes } = connections;
    return {
      connections,
      pipeline: new Pipeline({ reads, writes, random32, ...(observer && { observer }) }),
    };
  };
  const { connections, pipeline } = await connect();
  let customers = 0n;
  const ledger: TestLedger = {
    database,
    connections,
    pipeline,
    superuser,
    async replica() {
      const other = await connect();
      return { pipeline: other.pipeline, close: () => other.connections.close() };
    },
    async customer() {
      customers += 1n;
      const createdAt = new Date();
      const at = instant(BigInt(createdAt.getTime()) * 1_000n);
      const id = makeId<CustomerId>(at, customers, Number(customers));
      const values = [TENANT, id, `customer-${customers}`, customers, createdAt];
      await superuser.query(
        `INSERT INTO customer (tenant_id, customer_id, key, name, metadata, number, created_at)
          VALUES ($1, $2, $3, '', '{}', $4, $5)`,
        values,
      );
      await superuser.query("UPDATE tenant SET customer_count = $1", [customers]);
      await superuser.query(
        "INSERT INTO customer_key (tenant_id, customer_id, key) VALUES ($1, $2, $3)",
        values.slice(0, 3),
      );
      await superuser.query(
        "INSERT INTO customer_head (tenant_id, customer_id) VALUES ($1, $2)",
        values.slice(0, 2),
      );
      return id;
    },
    async customerBeside(other) {
      for (;;) {
        const id = await ledger.customer();
        // An even number of lanes tells customers apart by this at least.
        if (Number.parseInt(id.slice(-1), 16) % 2 === Number.parseInt(other.slice(-1), 16) % 2) {
          return id;
        }
      }
    },
    async shiftClock(interval) {
      await superuser.query(
        `CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
          AS $$ SELECT clock_timestamp() + interval '${interval}' $$`,
      );
    },
    async close() {
      await pipeline.idle();
      await connections.close();
      await superuser.end();
      await database.drop();
    },
  };
  return ledger;
}

let requests = 0;

/** A write whose answer is what `answer` makes of the verb's result, kept as JSON. */
export function writeOf<Result>(parts: {
  readonly customerId: CustomerId;
  readonly verb: (book: Book) => Result;
  readonly needs?: readonly Need[];
  readonly requestId?: string;
  readonly fingerprint?: string;
  readonly keptIn?: "charge" | "request";
  readonly answer: (result: Result) => unknown;
}): Write<Result, unknown> {
  requests += 1;
  const id = parts.requestId ?? `request-${requests}`;
  const fingerprint = createHash("sha256")
    .update(parts.fingerprint ?? id)
    .digest();
  return {
    tenantId: TENANT,
    customerId: parts.customerId,
    request: { id, fingerprint },
    needs: parts.needs ?? [],
    verb: parts.verb,
    answer: parts.answer,
    encode: (answer) => Buffer.from(JSON.stringify(answer)),
    decode: (stored) => JSON.parse(Buffer.from(stored).toString()),
    keptIn: parts.keptIn ?? "request",
    signal: new AbortController().signal,
    sizeBytes: 100,
  };
}
