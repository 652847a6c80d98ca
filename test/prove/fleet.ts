/**
 * Owns the replicas of a run over one PostgreSQL, and who of them can be called at the moment.
 * They share a data folder, as services that a user starts side by side do, or a named database.
 */
import { createWriteStream, readFileSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import type { Superuser } from "./books.ts";
import type { Reachable } from "./delivery.ts";
import { endServer } from "./postmaster.ts";
import type { Random } from "./random.ts";
import { type Exit, Replica } from "./replica.ts";
import type { Stage } from "./run.ts";
import { Lines } from "./wire.ts";

export interface FleetOptions {
  readonly size: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** What the replica of a place has besides. */
  readonly environmentOf?: (index: number) => Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
}

const LOG_LINES = 12;
/** What services are ended with in a run. */
const SIGNALS: readonly (NodeJS.Signals | null)[] = ["SIGKILL", "SIGTERM"];

const isAsked = ({ code, signal }: Exit) => code === 0 || SIGNALS.includes(signal);

interface Member {
  readonly replica: Replica;
  readonly lines: Lines;
}

export class Fleet implements Reachable {
  readonly dataDir: string;
  readonly logFile: string;
  readonly #stage: Stage;
  readonly #options: FleetOptions;
  readonly #log: WriteStream;
  readonly #members: (Member | undefined)[] = [];

  constructor(stage: Stage, options: FleetOptions) {
    const { scratch } = stage;
    const workingDir = scratch.makeDir("fleet");
    this.#stage = stage;
    this.#options = options;
    this.dataDir = join(workingDir, ".drawdown");
    this.logFile = join(workingDir, "services.log");
    this.#log = createWriteStream(this.logFile);
    scratch.defer(async () => {
      for (const member of this.#members) member?.lines.close();
      await endServer(this.dataDir);
      await new Promise<void>((resolve) => this.#log.end(resolve));
    });
  }

  /** Starts all replicas, the first one first, because it makes the database. */
  async start(): Promise<void> {
    await this.startOne(0);
    const others = Array.from({ length: this.#options.size - 1 }, (_, index) => index + 1);
    await Promise.all(others.map((index) => this.startOne(index)));
  }

  /** Starts the replica of a place, which must not be running. */
  async startOne(index: number): Promise<Replica> {
    const { scratch, program } = this.#stage;
    const { environment, environmentOf = () => ({}), nodeFlags = [] } = this.#options;
    const replica = await Replica.start(scratch, {
      program,
      workingDir: join(this.dataDir, ".."),
      environment: {
        // Replicas start many times in a run: what V8 compiled once is kept.
        NODE_COMPILE_CACHE: join(scratch.dir, "compiled"),
        ...environment,
        ...environmentOf(index),
      },
      nodeFlags,
      log: this.#log,
    });
    this.#members[index] = { replica, lines: new Lines(replica) };
    void replica.exited.then((exit) => {
      if (!isAsked(exit)) this.#blame(exit);
      const member = this.#members[index];
      if (member?.replica !== replica) return;
      member.lines.close();
      this.#members[index] = undefined;
    });
    return replica;
  }

  /** Writes into the log of the services what happens to them, for whoever reads it afterwards. */
  note(what: string): void {
    if (!this.#log.closed)
      this.#log.write(`${JSON.stringify({ time: Date.now(), prove: what })}\n`);
  }

  /** A service that ends without being told to has broken every promise. */
  #blame({ code, signal }: Exit): void {
    const { promise, tally } = this.#stage;
    const log = readFileSync(this.logFile, "utf8").trimEnd().split("\n");
    const what = `a service ended by itself with ${code ?? signal}`;
    tally.fail({ promise, breach: "other", what, history: log.slice(-LOG_LINES) });
  }

  get size(): number {
    return this.#options.size;
  }

  /** The replica of a place; undefined when it is not running. */
  find(index: number): Replica | undefined {
    return this.#members[index]?.replica;
  }

  lines(index: number): Lines | undefined {
    return this.#members[index]?.lines;
  }

  /** Breaks all connections of clients to a replica, and opens new ones for what comes next. */
  hangUp(index: number): boolean {
    const member = this.#members[index];
    if (member === undefined) return false;
    this.#members[index] = { replica: member.replica, lines: new Lines(member.replica) };
    member.lines.close();
    return true;
  }

  choose(random: Random): Lines | undefined {
    const running = this.#members.filter((each) => each !== undefined);
    return running.length === 0 ? undefined : random.pick(running).lines;
  }

  /** A replica that runs, whichever. */
  any(): Lines {
    const found = this.#members.find((each) => each !== undefined);
    if (found === undefined) throw new Error("no replica is running");
    return found.lines;
  }

  /** The embedded server's superuser, whose password stands in the data folder. */
  readonly superuser: Superuser = () => {
    const folder = join(this.dataDir, "postgres");
    const { superuser } = JSON.parse(readFileSync(join(folder, "passwords.json"), "utf8"));
    const port = readFileSync(join(folder, "port"), "utf8").trim();
    return `postgres://drawdown_superuser:${superuser}@127.0.0.1:${port}/drawdown`;
  };
}
