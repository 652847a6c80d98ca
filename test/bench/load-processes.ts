/** Owns the two processes that make load, and what they are told to do. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromLoadProcess, Load, Measured, ToLoadProcess } from "./load.ts";
import { secondsOfProcess } from "./processor-time.ts";

const LOAD_PROCESSES = 2;
const ANSWER_MS_MAX = 30_000;
/** A million movements take a while on a busy machine. */
const FINISH_MS_MAX = 300_000;

export class LoadProcesses {
  readonly #all: readonly LoadProcess[];
  #working: readonly LoadProcess[] = [];

  constructor() {
    this.#all = Array.from({ length: LOAD_PROCESSES }, () => new LoadProcess());
  }

  /** Starts a load in one process or shared by both, as `share` cuts it for each of so many. */
  start(processes: 1 | 2, share: (of: number) => Load): void {
    this.#working = this.#all.slice(0, processes);
    for (const each of this.#working) each.tell({ kind: "start", load: share(processes) });
  }

  mark(): void {
    for (const each of this.#working) each.tell({ kind: "mark" });
  }

  /** Settles when the load has ended by itself. */
  async finish(): Promise<void> {
    await Promise.all(this.#working.map((each) => each.finish()));
  }

  /** What each process has measured since the mark. */
  read(): Promise<readonly Measured[]> {
    return Promise.all(this.#working.map((each) => each.read()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#working.map((each) => each.stop()));
    this.#working = [];
  }

  cpu_s(): number {
    return this.#all.reduce((sum, { pid }) => sum + secondsOfProcess(pid), 0);
  }

  close(): void {
    for (const each of this.#all) each.close();
  }
}

type Kind = FromLoadProcess["kind"];

class LoadProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  /** Why the load that was started last has broken off. */
  #failure: string | null = null;

  constructor() {
    this.#child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)));
    if (this.#child.pid === undefined) throw new Error("a load process could not be started");
    this.pid = this.#child.pid;
    this.#child.on("message", (message: FromLoadProcess) => {
      if (message.kind === "failed") this.#failure = message.message;
    });
  }

  tell(message: ToLoadProcess): void {
    this.#failure = message.kind === "start" ? null : this.#failure;
    this.#child.send(message);
  }

  async read(): Promise<Measured> {
    const { measured } = await this.#ask({ kind: "read" }, "measured", ANSWER_MS_MAX);
    if (this.#failure !== null) throw new Error(this.#failure);
    return measured;
  }

  async finish(): Promise<void> {
    await this.#ask({ kind: "finish" }, "finished", FINISH_MS_MAX);
  }

  async stop(): Promise<void> {
    await this.#ask({ kind: "stop" }, "stopped", ANSWER_MS_MAX);
  }

  close(): void {
    this.#child.disconnect();
  }

  #ask<K extends Kind>(
    message: ToLoadProcess,
    kind: K,
    withinMs: number,
  ): Promise<Extract<FromLoadProcess, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#child.off("message", listen);
      };
      const listen = (answer: FromLoadProcess) => {
        if (answer.kind !== kind) return;
        settle();
        resolve(answer as Extract<FromLoadProcess, { kind: K }>);
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error(`a load process does not answer: ${this.#failure ?? message.kind}`));
      }, withinMs);
      this.#child.on("message", listen);
      this.tell(message);
    });
  }
}
