/**
 * Owns the promise R5: what is kept beside the journal equals its replay, and an audit of many
 * transfers says so in bounded time and memory. It runs the command as an operator does, over
 * books that are right, and once more over the same books with one digit changed.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import type { CustomerId } from "../../src/ledger/ids.ts";
import { memoryOfProcess_mb, secondsOfFamily, secondsOfProcess } from "../bench/processor-time.ts";
import { fillJournals } from "../queries/long-journal.ts";
import { makeCustomers } from "./customers.ts";
import type { Fleet } from "./fleet.ts";
import type { Run } from "./run.ts";

interface Books {
  readonly customers: number;
  readonly transfers: number;
}

/** Many customers with some history each, and one with a very long one. */
const SIZES = {
  quick: { many: { customers: 10, transfers: 1_000 }, longest: 30_000 },
  small: { many: { customers: 40, transfers: 4_000 }, longest: 100_000 },
  large: { many: { customers: 1_000, transfers: 9_000 }, longest: 1_000_000 },
} as const satisfies Record<string, { readonly many: Books; readonly longest: number }>;

/** So many customers are filled by one statement. */
const FILLED_AT_ONCE = 50;
const SAMPLE_MS = 250;
/** Ten million transfers within a minute. */
const TRANSFERS_A_SECOND = 10_000_000 / 60;
const MEMORY_MB_MAX = 700;

export async function audit(run: Run): Promise<void> {
  const { many, longest } = SIZES[run.size];
  const transfers = many.customers * many.transfers + longest;
  const fleet = await run.openFleet(1);
  const accounts = await makeCustomers(fleet.any(), "audit", many.customers + 1);
  const customerIds = accounts.map(({ id }) => id as CustomerId);
  const database = new pg.Client({ connectionString: fleet.superuser() });
  await database.connect();
  try {
    await fill(run, database, customerIds);
    const right = await runAudit(run, fleet);
    const { tally } = run;
    const fail = (what: string) =>
      tally.fail({ promise: "audit", breach: "drifted", what, history: right.lines.slice(0, 5) });
    if (right.code !== 0) fail(`an audit of books that are right ended with ${right.code}`);
    if (!right.lines.some((line) => line.includes(` ${transfers} transfers, 0 findings`))) {
      fail("the audit did not say how much it had seen");
    }
    tellFigures(run, right, transfers);
    await auditChanged(run, fleet, { database, customerId: run.random.pick(customerIds) });
  } finally {
    await database.end();
  }
}

async function fill(
  run: Run,
  database: pg.Client,
  customerIds: readonly CustomerId[],
): Promise<void> {
  const { many, longest } = SIZES[run.size];
  run.say(`writing ${many.customers} journals of ${many.transfers} transfers, one of ${longest}`);
  for (let first = 0; first < many.customers; first += FILLED_AT_ONCE) {
    const last = Math.min(first + FILLED_AT_ONCE, many.customers);
    await fillJournals(database, customerIds.slice(first, last), many.transfers);
  }
  await fillJournals(database, customerIds.slice(many.customers), longest);
  await database.query("VACUUM (FREEZE, ANALYZE)");
  await database.query("CHECKPOINT");
}

/** One digit of one amount, somewhere: the audit must name it and end with 1. */
async function auditChanged(
  run: Run,
  fleet: Fleet,
  { database, customerId }: { readonly database: pg.Client; readonly customerId: CustomerId },
): Promise<void> {
  const sequence = 300 + run.random.below(500);
  await database.query(
    "UPDATE transfer SET amount = amount + 0.1 WHERE customer_id = $1 AND sequence = $2",
    [customerId, sequence],
  );
  run.tally.fault("digit changed in the journal");
  const changed = await runAudit(run, fleet);
  const named = changed.lines.some(
    (line) => line.includes(customerId) && line.includes(`"sequence":"${sequence}"`),
  );
  if (changed.code === 1 && named) return;
  const what = `an amount changed at ${sequence} of ${customerId} was not reported`;
  const history = changed.lines.slice(0, 5);
  run.tally.fail({ promise: "audit", breach: "other", what, history });
}

interface Audited {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly seconds: number;
  readonly serviceSeconds: number;
  readonly databaseSeconds: number;
  readonly memoryMbMax: number;
}

/** Runs `drawdown audit` in the fleet's data folder, and watches what it costs. */
async function runAudit(run: Run, fleet: Fleet): Promise<Audited> {
  const postmaster = Number(
    readFileSync(join(fleet.dataDir, "postgres", "cluster", "postmaster.pid"), "utf8").split(
      "\n",
      1,
    )[0],
  );
  const { PATH = "/usr/bin:/bin" } = process.env;
  const startedAtMs = performance.now();
  const databaseBefore = secondsOfFamily(postmaster);
  const child = spawn(process.execPath, [run.program, "audit"], {
    cwd: dirname(fleet.dataDir),
    env: { PATH },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  let serviceSeconds = 0;
  let memoryMbMax = 0;
  const sampling = setInterval(() => {
    const used = secondsOfProcess(child.pid ?? 0);
    if (used === 0) return;
    serviceSeconds = used;
    memoryMbMax = Math.max(memoryMbMax, memoryOf(child.pid ?? 0));
  }, SAMPLE_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearInterval(sampling);
  return {
    code,
    lines: printed.split("\n").filter((line) => line !== ""),
    seconds: (performance.now() - startedAtMs) / 1_000,
    serviceSeconds,
    databaseSeconds: secondsOfFamily(postmaster) - databaseBefore,
    memoryMbMax,
  };
}

/** 0 for a process that has just ended: then it has no memory, or is not there any more. */
function memoryOf(pid: number): number {
  if (!existsSync(`/proc/${pid}/exe`)) return 0;
  const memoryMb = memoryOfProcess_mb(pid);
  return Number.isNaN(memoryMb) ? 0 : memoryMb;
}

function tellFigures(run: Run, audited: Audited, transfers: number): void {
  const { seconds, serviceSeconds, databaseSeconds, memoryMbMax } = audited;
  const { figures, notShown } = run.tally;
  figures.set("transfers audited", String(transfers));
  figures.set("audit took", `${seconds.toFixed(1)} s`);
  const processor = `${serviceSeconds.toFixed(1)} s, PostgreSQL ${databaseSeconds.toFixed(1)} s`;
  figures.set("processor time", `audit ${processor}`);
  figures.set("audit memory", `${Math.round(memoryMbMax)} MB`);
  run.say(`${transfers} transfers in ${seconds.toFixed(1)} s; processor: audit ${processor}`);
  if (memoryMbMax > MEMORY_MB_MAX) notShown.push(`the audit kept ${Math.round(memoryMbMax)} MB`);
  if (run.size === "large" && seconds > transfers / TRANSFERS_A_SECOND) {
    notShown.push(`the audit took ${Math.round(seconds)} s for ${transfers} transfers`);
  }
}
