/**
 * Owns lying to a service about the time: it is started with a clock that is wrong by so much,
 * through libfaketime where the machine has it, else by a module that shifts JavaScript's own
 * clock. Timers are left alone, as they are when a machine's clock is set wrong.
 */
import { existsSync } from "node:fs";

const LIBRARIES = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
] as const;

export interface Skew {
  readonly environment: Readonly<Record<string, string>>;
  /** What does it, for whoever reads the result. */
  readonly by: "libfaketime" | "a shifted Date";
}

/** What a service's environment says so that its clock is wrong by so many seconds. */
export function skewBy(seconds: number): Skew {
  const library = LIBRARIES.find((each) => existsSync(each));
  if (library === undefined) {
    const module = `data:text/javascript,${encodeURIComponent(shiftDate(seconds * 1_000))}`;
    return { environment: { NODE_OPTIONS: `--import=${module}` }, by: "a shifted Date" };
  }
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME: `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}s`,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      // The database has a clock of its own: only the service is lied to.
      FAKETIME_SKIP_CMDS: "postgres,initdb",
    },
    by: "libfaketime",
  };
}

const shiftDate = (ms: number): string => `
  const Right = Date;
  globalThis.Date = class Date extends Right {
    constructor(...given) {
      if (given.length === 0) super(Right.now() + ${ms});
      else super(...given);
    }
    static now() { return Right.now() + ${ms}; }
  };`;
