/**
 * Owns the replicas of a run over one PostgreSQL, and who of them can be called at the moment.
 * They share a data folder, as services that a user starts side by side do, or a named database.
 */
import { createWriteStream, mkdirSync, readFileSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import type { Reachable } from "./delivery.ts";
import { endServer } from "./postmaster.ts";
import type { Random } from "./random.ts";
import { Replica } from "./replica.ts";
import type { Scratch } from "./scratch.ts";
import { Lines } from "./wire.ts";

export interface FleetOptions {
  readonly program: string;
  readonly size: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeFlagsOf?: (index: number) => readonly string[];
}

interface Member {
  readonly replica: Replica;
  readonly lines: Lines;
}

export class Fleet implements Reachable {
  readonly dataDir: string;
  readonly logFile: string;
  readonly #scratch: Scratch;
  readonly #options: FleetOptions;
  readonly #log: WriteStream;
  readonly #members: (Member | undefined)[] = [];

  constructor(scratch: Scratch, options: FleetOptions) {
    const workingDir = join(scratch.dir, `fleet-${scratch.mark}`);
    mkdirSync(workingDir, { mode: 0o711 });
    this.#scratch = scratch;
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
    const { program, environment = {}, nodeFlagsOf = () => [] } = this.#options;
    const replica = await Replica.start(this.#scratch, {
      program,
      workingDir: join(this.dataDir, ".."),
      environment,
      nodeFlags: nodeFlagsOf(index),
      log: this.#log,
    });
    const member = { replica, lines: new Lines(replica) };
    this.#members[index] = member;
    void replica.exited.then(() => {
      member.lines.close();
      if (this.#members[index] === member) this.#members[index] = undefined;
    });
    return replica;
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
  get superuserUrl(): string {
    const folder = join(this.dataDir, "postgres");
    const { superuser } = JSON.parse(readFileSync(join(folder, "passwords.json"), "utf8"));
    const port = readFileSync(join(folder, "port"), "utf8").trim();
    return `postgres://drawdown_superuser:${superuser}@127.0.0.1:${port}/drawdown`;
  }
}
