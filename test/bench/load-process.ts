/** Owns one process that makes load: it does what it is told over its channel to the benchmark. */
import { runCalls, runHistory } from "./call-load.ts";
import type { FromLoadProcess, Load, ToLoadProcess } from "./load.ts";
import { Recorder } from "./recorder.ts";
import { runCopy, runYardstick } from "./sql-load.ts";

const recorder = new Recorder();
let stopping = new AbortController();
let running = Promise.resolve();

function tell(message: FromLoadProcess): void {
  process.send?.(message);
}

function run(load: Load, signal: AbortSignal): Promise<void> {
  switch (load.kind) {
    case "calls":
      return runCalls(load, recorder, signal);
    case "yardstick":
      return runYardstick(load, recorder, signal);
    case "history":
      return runHistory(load, recorder, signal);
    case "copy":
      return runCopy(load, recorder, signal);
  }
}

process.on("message", (message: ToLoadProcess) => {
  switch (message.kind) {
    case "start":
      stopping = new AbortController();
      running = run(message.load, stopping.signal).catch((error: unknown) => {
        stopping.abort();
        tell({ kind: "failed", message: String(error) });
      });
      break;
    case "mark":
      recorder.mark();
      break;
    case "read":
      tell({ kind: "measured", measured: recorder.read() });
      break;
    case "finish":
      void running.then(() => tell({ kind: "finished" }));
      break;
    case "stop":
      stopping.abort();
      void running.then(() => tell({ kind: "stopped" }));
  }
});
// Nobody is left to tell anything to.
process.on("disconnect", () => process.exit());
