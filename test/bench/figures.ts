/** Owns what is measured in each round, in turn, and the ratios that are made of it. */
import type { CustomerRange, Load } from "./load.ts";
import { measurePgbench } from "./pgbench.ts";
import type { Scale } from "./scale.ts";
import type { SpawnedService } from "./spawned-service.ts";
import {
  type Duration,
  measureLoad,
  perSecond,
  serverCpuPerOperation_ms,
  type Watched,
  type Window,
} from "./window.ts";

/** Unary calls in flight, over both load processes. */
const CALLS_IN_FLIGHT = 256;
const BATCHES_IN_FLIGHT = 8;
const YARDSTICK_CONNECTIONS = 16;

/** What is under test. */
export interface Site extends Omit<Watched, "service"> {
  readonly service: SpawnedService;
  readonly emptyService: SpawnedService;
  /** As the application's role. */
  readonly databaseUrl: string;
  readonly hasPgbench: boolean;
}

type Measure = (site: Site, scale: Scale) => Promise<Window>;

const calls =
  (call: "charge" | "batch" | "balance", inFlight: number, customers: CustomersOf): Measure =>
  (site, scale) =>
    measureLoad(
      site,
      {
        processes: inFlight === 1 ? 1 : 2,
        share: (of) => ({
          kind: "calls",
          call,
          grpc: site.service.grpc,
          customers: customers(scale),
          inFlight: inFlight / of,
        }),
      },
      scale.duration,
    );

const yardstick =
  (connections: number): Measure =>
  (site, scale) =>
    measureLoad(
      { ...site, service: null },
      {
        processes: connections === 1 ? 1 : 2,
        share: (of) => ({
          kind: "yardstick",
          url: site.databaseUrl,
          customers: scale.seed.customers,
          connections: connections / of,
        }),
      },
      scale.duration,
    );

const inOne = (site: Watched, load: Load, duration: Duration | null) =>
  measureLoad(site, { processes: 1, share: () => load }, duration);

type CustomersOf = (scale: Scale) => CustomerRange;

const ofAll: CustomersOf = ({ seed }) => seed.customers;
const ofOne: CustomersOf = ({ seed }) => ({ first: seed.customers.first, count: 1 });

/** What is measured, in this order: what is compared stands side by side, within seconds. */
const FIGURES = {
  hot_customer: calls("charge", CALLS_IN_FLIGHT, ofOne),
  unary: calls("charge", CALLS_IN_FLIGHT, ofAll),
  empty: (site, scale) =>
    measureLoad(
      { ...site, service: site.emptyService },
      {
        processes: 2,
        share: (of) => ({
          kind: "calls",
          call: "empty",
          grpc: site.emptyService.grpc,
          customers: scale.seed.customers,
          inFlight: CALLS_IN_FLIGHT / of,
        }),
      },
      scale.duration,
    ),
  balance: calls("balance", CALLS_IN_FLIGHT, ofAll),
  yardstick_pg: yardstick(YARDSTICK_CONNECTIONS),
  yardstick_pgbench: (site, scale) =>
    measurePgbench(
      { ...site, service: null },
      {
        url: site.databaseUrl,
        customers: scale.seed.customers,
        connections: YARDSTICK_CONNECTIONS,
      },
      scale.duration,
    ),
  batch: calls("batch", BATCHES_IN_FLIGHT, ofAll),
  history: (site, { history, duration }) => {
    const { customer, once } = history;
    const load: Load = { kind: "history", grpc: site.service.grpc, customer, once };
    return inOne(site, load, once ? null : duration);
  },
  copy: (site, { history, duration }) => {
    const { customer, once } = history;
    const load: Load = { kind: "copy", url: site.databaseUrl, customer, once };
    return inOne({ ...site, service: null }, load, once ? null : duration);
  },
  grown: calls("charge", CALLS_IN_FLIGHT, ({ grown }) => grown),
  fresh: calls("charge", CALLS_IN_FLIGHT, ({ fresh }) => fresh),
  idle_charge: calls("charge", 1, ofAll),
  idle_yardstick: yardstick(1),
} as const satisfies Readonly<Record<string, Measure>>;

export type FigureName = keyof typeof FIGURES;

const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];
/** What the service does first, so that no figure of the first round is that of cold code. */
const WARMED = ["empty", "unary", "batch", "balance", "history"] as const;

/** One window of each figure; without pgbench its figure is missing. */
export type Round = Readonly<Partial<Record<FigureName, Window>>>;

export async function measureRound(
  site: Site,
  scale: Scale,
  report: (name: FigureName, window: Window) => void,
): Promise<Round> {
  const round: Partial<Record<FigureName, Window>> = {};
  for (const name of FIGURE_NAMES) {
    if (name === "yardstick_pgbench" && !site.hasPgbench) continue;
    const window = await FIGURES[name](site, scale);
    round[name] = window;
    report(name, window);
  }
  return round;
}

/** Runs for a while what will be measured; nothing of it counts. */
export async function warmUp(site: Site, scale: Scale): Promise<void> {
  const duration = { warmUp_ms: 0, window_ms: scale.settling_ms };
  const history = { ...scale.history, once: false };
  for (const name of WARMED) await FIGURES[name](site, { ...scale, history, duration });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The better of the two ways to send the hand-written SQL, by its rate. */
export function betterYardstick(
  rounds: readonly Round[],
): Extract<FigureName, "yardstick_pg" | "yardstick_pgbench"> {
  const rate = (name: FigureName) =>
    median(rounds.map((round) => (round[name] === undefined ? 0 : perSecond(round[name]))));
  return rate("yardstick_pgbench") > rate("yardstick_pg") ? "yardstick_pgbench" : "yardstick_pg";
}

/** Each ratio is the median of what the rounds came to, because a round's windows lie together. */
export function ratiosOf(rounds: readonly Round[]) {
  const byHand = betterYardstick(rounds);
  const ratio = (of: (window: Window) => number, name: FigureName, to: FigureName) =>
    median(rounds.map((round) => of(get(round, name)) / of(get(round, to))));
  const rate = (name: FigureName, to: FigureName) => ratio(perSecond, name, to);
  const cpu = (name: FigureName, to: FigureName) => ratio(serverCpuPerOperation_ms, name, to);
  return {
    unary_cpu_ratio: cpu("unary", byHand),
    unary_vs_empty_ratio: rate("unary", "empty"),
    batch_throughput_ratio: rate("batch", byHand),
    batch_cpu_ratio: cpu("batch", byHand),
    hot_customer_ratio: rate("hot_customer", "unary"),
    balance_vs_empty_ratio: rate("balance", "empty"),
    history_vs_copy_ratio: rate("history", "copy"),
    growth_ratio: cpu("grown", "fresh"),
    unary_vs_empty_cpu_ratio: cpu("unary", "empty"),
    hot_customer_cpu_ratio: cpu("hot_customer", "unary"),
    balance_vs_empty_cpu_ratio: cpu("balance", "empty"),
    history_vs_copy_cpu_ratio: cpu("history", "copy"),
  } as const;
}

function get(round: Round, name: FigureName): Window {
  const window = round[name];
  if (window === undefined) throw new Error(`${name} was not measured`);
  return window;
}
