/** Owns finding variables that look like settings and are none: misspelled, most likely. */
import { type Environment, SETTINGS } from "./config.ts";

const PREFIX = "DRAWDOWN_";

const KNOWN: ReadonlySet<string> = new Set(
  Object.values(SETTINGS).flatMap(({ variable, isSecret }) =>
    isSecret ? [variable, `${variable}_FILE`] : [variable],
  ),
);

/** What the clients in `examples` read. */
const OF_CLIENTS = new Set(["DRAWDOWN_ADDRESS", "DRAWDOWN_KEY", "DRAWDOWN_URL"]);

/** Kubernetes sets such variables for every service of the name `drawdown` or `drawdown-…`. */
const OF_A_CLUSTER = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP)(?:_\w+)?$/;
const ADDRESS_OF_A_CLUSTER = /^(?:tcp|udp):\/\//;

/** The names of variables that begin as settings do and that nothing reads, in order. */
export function unknownVariables(environment: Environment): readonly string[] {
  return Object.entries(environment)
    .filter(([name, value]) => {
      if (!name.startsWith(PREFIX) || !value) return false;
      if (KNOWN.has(name) || OF_CLIENTS.has(name)) return false;
      return !OF_A_CLUSTER.test(name) && !ADDRESS_OF_A_CLUSTER.test(value);
    })
    .map(([name]) => name)
    .sort();
}
