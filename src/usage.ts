/** Owns what `--help` says: of the program, and of each of its commands. */
import { COMMANDS, type Command, SETTINGS, type Setting } from "./config.ts";

/** What stands behind the command's name, and what the command does. */
const COMMAND_USAGE = {
  serve: { words: "", summary: "starts the service (default)" },
  migrate: { words: "", summary: "brings the database up to date and exits" },
  audit: {
    words: "[customer_id]",
    summary: "replays the journal of every tenant, or of one customer, and reports what is wrong",
  },
  keys: {
    words: "create|list|revoke",
    summary: "creates, lists and revokes API keys; each says how when it is given nothing else",
  },
} satisfies Record<Command, { readonly words: string; readonly summary: string }>;

const VARIABLE_CHARACTERS = 37;
const COMMAND_CHARACTERS = 9;

/** The help of the whole program. */
export function usage(): string {
  const commands = COMMANDS.map(
    (name) => `  ${name.padEnd(COMMAND_CHARACTERS)}${COMMAND_USAGE[name].summary}`,
  );
  return `Usage: drawdown [command]

Commands:
${commands.join("\n")}

"drawdown <command> --help" shows the variables of the environment that configure a command.
`;
}

/** The help of one command, with the variables that it reads and their defaults. */
export function usageOf(command: Command): string {
  const { words, summary } = COMMAND_USAGE[command];
  const settings = Object.values<Setting<unknown>>(SETTINGS).filter(
    ({ isForAll }) => isForAll || command === "serve",
  );
  return `Usage: ${`drawdown ${command} ${words}`.trimEnd()}

${summary}

Environment (a variable marked * may be given as <variable>_FILE, the name of a file, instead):
${settings.map(describe).join("\n")}
`;
}

function describe({ variable, otherwise, isSecret, meaning }: Setting<unknown>): string {
  const name = `${variable}${isSecret ? " *" : ""}`.padEnd(VARIABLE_CHARACTERS);
  const shown = otherwise === undefined || String(otherwise) === "" ? "" : ` (${otherwise})`;
  return `  ${name} ${meaning}${shown}`;
}
