#!/usr/bin/env node
/** Owns the command line: which command runs, and how it ends. */
import { inspect } from "node:util";
import { audit } from "./audit.ts";
import { COMMANDS, type Command, type Config, readConfig } from "./config.ts";
import { migrateDatabase } from "./database-of.ts";
import { serve } from "./serve.ts";

const USAGE = `Usage: drawdown [command]

Commands:
  serve      starts the service (default)
  migrate    brings the database up to date and exits
  audit      replays the journal and reports what does not add up: drawdown audit [customer_id]

The environment configures all of them; the README lists the variables.
`;

/** Runs a command with the words behind it; resolves with the exit code. */
type Run = (config: Config, words: readonly string[]) => Promise<number>;

/** What the operator has to mend is said in a sentence; anything else is shown whole. */
const SENTENCES = new Set(["ConfigError", "MigrationError", "RoleError", "EmbeddedPostgresError"]);

async function main(words: readonly string[]): Promise<number> {
  const [word = "serve", ...rest] = words;
  if (word === "--help" || word === "-h" || word === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const command = COMMANDS.find((each) => each === word);
  if (command === undefined) {
    process.stderr.write(`drawdown: there is no command ${JSON.stringify(word)}\n\n${USAGE}`);
    return 2;
  }
  const config = readConfig({
    environment: process.env,
    workingDir: process.cwd(),
    command,
  });
  const run = { serve, migrate: migrateDatabase, audit } satisfies Record<Command, Run>;
  return await run[command](config, rest);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof Error && SENTENCES.has(error.name);
  process.stderr.write(`drawdown: ${known ? error.message : inspect(error)}\n`);
  process.exitCode = 1;
}
