import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const MEGABYTE = 1024 * 1024;
const MEASURE = fileURLToPath(new URL("log-much.ts", import.meta.url));

test("the log takes no memory when whoever reads it stalls", async () => {
  const child = fork(MEASURE, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  onTestFinished(() => void child.kill());
  // Nobody reads its stderr.
  const [{ logged, taken }] = await once(child, "message");
  expect(logged).toBeGreaterThan(250 * MEGABYTE);
  expect(taken).toBeLessThan(logged / 2);
});
