/** The operator's page knows every reason, and names no metric that the service does not have. */
import { readFileSync } from "node:fs";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { REASONS } from "../src/errors.ts";
import { Drain } from "../src/server/drain.ts";
import { measureLanes, PipelineMetrics } from "../src/server/pipeline-metrics.ts";
import { measurePools } from "../src/server/pool-metrics.ts";
import { RpcMetrics } from "../src/server/rpc-metrics.ts";

const page = readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8");

test.each(REASONS)("docs/operations.md says what %s means and what to do", (reason) => {
  expect(page).toMatch(new RegExp(`^\\|.*\`${reason}\`.*\\|.*\\|.*\\|$`, "m"));
});

test("docs/operations.md names the metrics that there are", async () => {
  const registry = new Registry();
  new RpcMetrics(registry, new Drain());
  new PipelineMetrics(registry);
  measureLanes(registry, () => []);
  measurePools(registry, {});
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const told = [...page.matchAll(/drawdown_[a-z_]+/g)].map(([name]) => name);

  const roles = ["drawdown_owner", "drawdown_app"];
  const unknown = told.filter((each) => !names.includes(each.replace(/_(bucket|count|sum)$/, "")));
  expect(unknown.filter((each) => !roles.includes(each))).toEqual([]);
});
