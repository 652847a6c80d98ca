#!/usr/bin/env node
/** Owns the command line: which command runs, and how it ends. */
import { inspect } from "node:util";
import { audit } from "./audit.ts";
import { COMMANDS, type Command, type Config, readConfig } from "./config.ts";
import { unknownVariables } from "./config-unknown.ts";
import { migrateDatabase } from "./database-of.ts";
import { keys } from "./keys.ts";
import { serve } from "./serve.ts";
import { usage, usageOf } from "./usage.ts";

/** Runs a command with the words behind it; resolves with the exit code. */
type Run = (config: Config, words: readonly string[]) => Promise<number>;

/** What the operator has to mend is said in a sentence; anything else is shown whole. */
const SENTENCES = new Set([
  "CertificateError",
  "ConfigError",
  "EmbeddedPostgresError",
  "MigrationError",
  "Refusal",
  "RoleError",
]);

const HELP = ["--help", "-h"];
/** Those that the environment alone configures. */
const WITHOUT_WORDS: readonly Command[] = ["serve", "migrate"];

/** As package.json has it; the oldest whose library has what the service uses. */
const NODE_LEAST = [22, 13] as const;

function isNodeTooOld(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < NODE_LEAST[0] || (major === NODE_LEAST[0] && minor < NODE_LEAST[1]);
}

async function main(words: readonly string[]): Promise<number> {
  if (isNodeTooOld()) {
    const { node } = process.versions;
    process.stderr.write(`drawdown: needs Node ${NODE_LEAST.join(".")} or newer, not ${node}\n`);
    return 1;
  }
  const [word = "serve", ...rest] = words;
  const command = COMMANDS.find((each) => each === word);
  if (word === "help" || HELP.includes(word)) {
    process.stdout.write(usage());
    return 0;
  }
  if (command === undefined) {
    process.stderr.write(`drawdown: there is no command ${JSON.stringify(word)}\n\n${usage()}`);
    return 2;
  }
  if (rest.some((each) => HELP.includes(each))) {
    process.stdout.write(usageOf(command));
    return 0;
  }
  const [extra] = rest;
  if (extra !== undefined && WITHOUT_WORDS.includes(command)) {
    process.stderr.write(`drawdown: ${command} takes no ${JSON.stringify(extra)}\n\n`);
    process.stderr.write(usageOf(command));
    return 2;
  }
  for (const name of unknownVariables(process.env)) {
    process.stderr.write(`drawdown: ${name} is no setting and is ignored; see drawdown --help\n`);
  }
  const config = readConfig({
    environment: process.env,
    workingDir: process.cwd(),
    command,
  });
  const run = { serve, migrate: migrateDatabase, audit, keys } satisfies Record<Command, Run>;
  return await run[command](config, rest);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof Error && SENTENCES.has(error.name);
  process.stderr.write(`drawdown: ${known ? error.message : inspect(error)}\n`);
  process.exitCode = 1;
}
