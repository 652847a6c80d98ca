/**
 * Owns how the service connects to PostgreSQL: a pool for reads, one for audits and one for the
 * pipeline's lanes, with the settings that every session of theirs has.
 */
import type pg from "pg";
import { DataSource } from "typeorm";
import { entities } from "./entities/all.ts";
import { APPLICATION_ROLE } from "./migrations/1_ledger.ts";
import { typeParsers } from "./pg-types.ts";
import { PooledClient } from "./pooled-client.ts";

export interface Database {
  readonly reads: DataSource;
  /** Apart from the other reads, which are not to wait for one that takes minutes. */
  readonly audits: DataSource;
  /** For the pipeline: its planner goes by primary keys at every batch size. */
  readonly writes: DataSource;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** A statement of an audit may look at all that a customer ever had. */
const AUDIT_STATEMENT_TIMEOUT_MS = 1_800_000;
/** Four audits read for two groups of customers each; two more for what was given up. */
const AUDIT_POOL_MAX = 10;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
/** A connection that is kept also keeps its prepared statements. */
const IDLE_CONNECTION_MS = 300_000;
/** A link that has gone dead never lets the server's own timeout through: so much later it ends. */
const ANSWER_GRACE_MS = 5_000;

export type Settings = Readonly<Record<string, string | number>>;

const SESSION = {
  TimeZone: "UTC",
  DateStyle: "ISO",
  search_path: "public",
  statement_timeout: STATEMENT_TIMEOUT_MS,
  lock_timeout: LOCK_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  // Compiling a statement costs more than any statement of the ledger takes.
  jit: "off",
} as const satisfies Settings;

/**
 * The pipeline's statements touch few rows by key. Joined with `unnest`, of which the planner knows
 * nothing, they would scan or sort whole tables even for a batch of one.
 */
const BY_KEYS: Settings = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_mergejoin: "off",
  enable_material: "off",
  enable_memoize: "off",
  // One plan serves every batch size. Otherwise a batch of one is planned anew each time, which
  // takes twice as long as running its statements. A distributed engine must not be told so.
  plan_cache_mode: "force_generic_plan",
};

/**
 * Connects both pools. `findUrl` is asked again for every connection, because the embedded server
 * may come back elsewhere after a crash. `runAsRole`: the URL is the owner's, and every session
 * runs as the application's role instead.
 */
export async function openDatabase({
  findUrl,
  runAsRole,
  readPoolMax,
  writePoolMax,
}: {
  readonly findUrl: () => string;
  readonly runAsRole: boolean;
  readonly readPoolMax: number;
  readonly writePoolMax: number;
}): Promise<Database> {
  const session = runAsRole ? { ...SESSION, role: APPLICATION_ROLE } : SESSION;
  const reads = makePool({ findUrl, settings: session, name: "drawdown reads", max: readPoolMax });
  const audits = makePool({
    findUrl,
    settings: { ...session, statement_timeout: AUDIT_STATEMENT_TIMEOUT_MS },
    name: "drawdown audits",
    max: AUDIT_POOL_MAX,
  });
  const writes = makePool({
    findUrl,
    settings: { ...session, ...BY_KEYS },
    name: "drawdown writes",
    max: writePoolMax,
  });
  const pools = [reads, audits, writes];
  const close = async () => {
    const open = pools.filter((pool) => pool.isInitialized);
    await Promise.all(open.map((pool) => pool.destroy()));
  };
  const connected = await Promise.allSettled(pools.map((pool) => pool.initialize()));
  const failed = connected.find((each) => each.status === "rejected");
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  return { reads, audits, writes, close };
}

function makePool({
  findUrl,
  settings,
  name,
  max,
}: {
  readonly findUrl: () => string;
  readonly settings: Settings & { readonly statement_timeout: number };
  readonly name: string;
  readonly max: number;
}): DataSource {
  class Client extends PooledClient {
    constructor(config: pg.ClientConfig) {
      super({ ...config, ...withSettings(findUrl(), settings) });
    }
  }
  return new DataSource({
    type: "postgres",
    url: withSettings(findUrl(), settings).connectionString,
    applicationName: name,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    poolSize: max,
    entities: [...entities],
    synchronize: false,
    installExtensions: false,
    logging: false,
    // The pool has dropped the idle connection already; who needs one next meets the trouble.
    poolErrorHandler: () => undefined,
    extra: {
      Client,
      types: typeParsers,
      keepAlive: true,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      // Statements are sent without waiting for the answers to those before them.
      pipeline: true,
      query_timeout: settings.statement_timeout + ANSWER_GRACE_MS,
    },
  });
}

/** The URL's own `options` would replace the settings; the settings go behind them and win. */
export function withSettings(url: string, settings: Settings) {
  const given = new URL(url);
  const ownOptions = given.searchParams.getAll("options");
  given.searchParams.delete("options");
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  return {
    connectionString: ownOptions.length === 0 ? url : given.href,
    options: [...ownOptions, ...flags].join(" "),
  };
}
