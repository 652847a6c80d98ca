/** Owns what is measured of the connections to the database. */
import { Gauge, type Registry } from "prom-client";
import type { PoolUse } from "../database/connection.ts";

/** `pools` by name. */
export function measurePools(
  registry: Registry,
  pools: Readonly<Record<string, () => PoolUse>>,
): void {
  new Gauge({
    name: "drawdown_pool_connections",
    help: "Connections to the database, by pool and whether somebody uses them.",
    labelNames: ["pool", "state"],
    registers: [registry],
    collect() {
      for (const [pool, use] of Object.entries(pools)) {
        const { total, idle } = use();
        this.set({ pool, state: "idle" }, idle);
        this.set({ pool, state: "used" }, total - idle);
      }
    },
  });
  new Gauge({
    name: "drawdown_pool_waiting",
    help: "Who waits for a connection to the database, by pool.",
    labelNames: ["pool"],
    registers: [registry],
    collect() {
      for (const [pool, use] of Object.entries(pools)) this.set({ pool }, use().waiting);
    },
  });
}
