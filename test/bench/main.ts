/**
 * Owns the benchmark: starts everything, measures product and yardstick in turn, and says how they
 * compare. `--quick` ends within 50 s; `--json` prints the result as one line at the end.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { entriesPerCharge, readDisk, rowsBesideHead, watchCharge } from "./charge-rows.ts";
import { checkYardstick } from "./check-yardstick.ts";
import { measureRound, type Round, warmUp } from "./figures.ts";
import { customerId } from "./load.ts";
import { pictureOf } from "./picture.ts";
import { heading, type Key, rowOf, tableOf } from "./report.ts";
import { type Result, resultOf } from "./result.ts";
import { FULL, QUICK, type Scale } from "./scale.ts";
import { seedCustomers } from "./seed.ts";
import { auditCustomers, createCharge, withTransport } from "./single-calls.ts";
import { type OpenSite, openSite } from "./site.ts";

const RESULTS_DIR = fileURLToPath(new URL("results", import.meta.url));

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean" }, json: { type: "boolean" } },
});
const startedAtMs = performance.now();
const elapsed_s = () => (performance.now() - startedAtMs) / 1000;
const say = (text: string) => process.stdout.write(`${text}\n`);

async function run(scale: Scale): Promise<Result> {
  const startedAt = new Date();
  say("starting the service");
  const open = await openSite();
  const interrupted = () => {
    say("interrupted");
    void open.close().then(() => process.exit(1));
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const { site, database, startups_ms } = open;
    const memoryAtRest_mb = site.service.memory_mb();
    const where = { grpc: site.service.grpc, superuserUrl: open.superuserUrl };
    await seedCustomers(where, scale.seed, (what) => say(`making ${what}`));

    const idle = customerId(scale.seed.customers.first);
    const written = await watchCharge(database, idle, () =>
      withTransport(where.grpc, (transport) => createCharge(transport, idle)),
    );
    await checkYardstick({ database, databaseUrl: site.databaseUrl }, scale.byHand, written);
    say("warming up");
    await warmUp(site, scale);
    const before = await readDisk(database);
    const rounds = await measureRounds(open, scale);
    const after = await readDisk(database);
    return resultOf({
      scale,
      startedAt,
      rounds,
      startups_ms,
      memoryAtRest_mb,
      bytesPerCharge: (after.bytes - before.bytes) / (after.transfers - before.transfers),
      rowsPerCharge: rowsBesideHead(written),
      indexEntriesPerCharge: await entriesPerCharge(database, written),
      postgresqlVersion: open.postgresqlVersion,
      auditedCustomers: await auditCustomers(where.grpc, sampleOf(scale)),
      seconds: elapsed_s(),
    });
  } finally {
    await open.close();
  }
}

/** Measures as many rounds as there is time for, and at least one. */
async function measureRounds({ site }: OpenSite, scale: Scale): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  let last_s = 0;
  const fits = () => elapsed_s() + last_s < scale.seconds_max;
  while (rounds.length === 0 || (rounds.length < scale.roundsMax && fits())) {
    const began_s = elapsed_s();
    say(`\nround ${rounds.length + 1} of at most ${scale.roundsMax}\n${heading()}`);
    rounds.push(await measureRound(site, scale, (name, window) => say(rowOf(name, window))));
    last_s = elapsed_s() - began_s;
  }
  return rounds;
}

/** Customers of every kind: their books must add up after all that was done to them. */
function sampleOf({ seed, grown, fresh, byHand }: Scale): readonly string[] {
  return [seed.customers.first, grown.first, fresh.first, byHand].map(customerId);
}

function keep(result: Result): string {
  mkdirSync(RESULTS_DIR, { recursive: true });
  const { scale, started_at } = result.run;
  const stamp = started_at.replaceAll(":", "-").replace(/\..*$/, "Z");
  const file = `${RESULTS_DIR}/${stamp}-${scale}.json`;
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(file.replace(/json$/, "svg"), pictureOf(result));
  return file;
}

const result = await run(flags.quick === true ? QUICK : FULL);
const file = keep(result);
say(`\n${tableOf(result as Readonly<Record<Key, number>> & Result)}\n`);
say(`${result.run.rounds} rounds in ${result.run.seconds} s; ${file}`);
if (flags.json === true) say(JSON.stringify(result));
