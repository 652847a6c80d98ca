/**
 * Owns how PostgreSQL's own programs are run: as which user of the machine, with which
 * environment, and what is kept of what they print.
 */
import { execFileSync, spawn } from "node:child_process";

/** The embedded PostgreSQL cannot do its work here; the message says why and what helps. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

/** What every message about a machine that cannot run the embedded server ends with. */
export const WAY_OUT =
  "Set DRAWDOWN_DATABASE_URL to use a PostgreSQL 15 or newer of your own instead.";

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const USERS_TO_DROP_TO = ["postgres", "nobody"];
const OUTPUT_CHARACTERS_MAX = 4_000;

/**
 * PostgreSQL refuses to run as root, so a service that is root runs it as somebody else.
 * Undefined means that the service's own user runs it.
 */
export function findServerUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of USERS_TO_DROP_TO) {
    const uid = findId("-u", name);
    const gid = findId("-g", name);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL refuses to run as root, and neither of the users ${USERS_TO_DROP_TO.join(", ")} ` +
      `exists here to run it as. Start the service as an ordinary user. ${WAY_OUT}`,
  );
}

function findId(flag: string, name: string): number | undefined {
  try {
    const id = execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] });
    return Number.parseInt(id.toString(), 10);
  } catch {
    return undefined;
  }
}

/**
 * The environment is built anew: a LANG or PGDATA of whoever starts the service must not change
 * the cluster that is made.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH = "/usr/bin:/bin" } = process.env;
  return { PATH, LANG: "C", LC_ALL: "C", TZ: "UTC" };
}

export interface Outcome {
  /** Whether the program ran and exited with 0. */
  readonly ok: boolean;
  /** The end of what it printed, or why it could not be run. */
  readonly output: string;
}

/** Runs a program to its end as the server's user, and never rejects. */
export function run(
  program: string,
  args: readonly string[],
  { user, input = "" }: { readonly user: ServerUser | undefined; readonly input?: string },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...user, env: serverEnvironment(), cwd: "/" });
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    // A program that ends without reading its input must not take the service with it (EPIPE).
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code, signal) =>
      resolve({ ok: code === 0, output: output.trim() || `ended with ${code ?? signal}` }),
    );
  });
}

/** Whether a process with that id exists, a zombie included. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
