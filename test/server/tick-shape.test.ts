import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const MEASURE = fileURLToPath(new URL("defer-much.ts", import.meta.url));

async function deferring_ns(shape: "kept" | "forgotten"): Promise<number> {
  const child = fork(MEASURE, [shape], { execArgv: ["--expose-gc"] });
  onTestFinished(() => void child.kill());
  const [{ collects, each_ns }] = await once(child, "message");
  expect(collects).toBe(true);
  return each_ns;
}

test("a collection does not make the deferring of callbacks slow for ever", async () => {
  const kept_ns = await deferring_ns("kept");
  // Seven to eleven times as much. When it is no longer so, nothing needs to be kept.
  expect(await deferring_ns("forgotten")).toBeGreaterThan(2 * kept_ns);
});
