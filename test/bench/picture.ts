/** Owns the picture of a result: what a charge costs the servers, in each way that was measured. */
import type { FigureName } from "./figures.ts";
import type { Result } from "./result.ts";

interface Cost {
  readonly service_cpu_ms: number | null;
  readonly postgresql_cpu_ms: number | null;
}

const WIDTH = 760;
const LABELS_WIDTH = 250;
const VALUES_WIDTH = 110;
const TOP = 74;
const ROW_HEIGHT = 34;
const BAR_HEIGHT = 20;
const BOTTOM = 44;

const PARTS = [
  { of: "service_cpu_ms", name: "service", color: "#2f6fb3" },
  { of: "postgresql_cpu_ms", name: "PostgreSQL", color: "#e0932f" },
] as const;

/** The ways to charge, and how each is called in the picture. */
function waysOf(result: Result): readonly (readonly [FigureName, string])[] {
  return [
    [result.yardstick, "hand-written SQL, 16 connections"],
    ["unary", "CreateCharge, 256 in flight"],
    ["hot_customer", "… all on one customer"],
    ["grown", "… after 100,000 movements"],
    ["batch", "BatchCreateCharges, 500 each"],
  ];
}

/** Draws stacked bars as SVG, whose unit is a thousandth of a second of CPU. */
export function pictureOf(result: Result): string {
  const figures: Readonly<Record<string, Cost | undefined>> = result.figures;
  const ways = waysOf(result).flatMap(([name, label]) => {
    const cost = figures[name];
    return cost === undefined ? [] : [{ label, cost }];
  });
  const totals = ways.map(({ cost }) => sumOf(cost));
  const scale = (WIDTH - LABELS_WIDTH - VALUES_WIDTH) / Math.max(...totals);
  const rows = ways.map(({ label, cost }, index) => {
    const middle = TOP + index * ROW_HEIGHT + ROW_HEIGHT / 2;
    return rowOf({ label, cost, scale, middle });
  });
  const height = TOP + ways.length * ROW_HEIGHT + BOTTOM;
  const { started_at, commit, processor, processors } = result.run;
  const when = `${started_at.slice(0, 10)}, commit ${commit ?? "unknown"}`;
  const where = `${when}, ${processors} processors (${processor})`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}"
  viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="14">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${text({ x: 16, y: 28, size: 17 }, "CPU of one durable charge, in milliseconds")}
${PARTS.map(legendOf).join("\n")}
${rows.join("\n")}
${text({ x: 16, y: height - 16, size: 12, color: "#666666" }, where)}
</svg>
`;
}

function sumOf(cost: Cost): number {
  return PARTS.reduce((sum, { of }) => sum + (cost[of] ?? 0), 0);
}

function rowOf(row: {
  readonly label: string;
  readonly cost: Cost;
  /** Pixels for a millisecond. */
  readonly scale: number;
  readonly middle: number;
}): string {
  const { label, cost, scale, middle } = row;
  let x = LABELS_WIDTH;
  const bars = PARTS.map(({ of, color }) => {
    const width = (cost[of] ?? 0) * scale;
    const bar = `<rect x="${pixels(x)}" y="${pixels(middle - BAR_HEIGHT / 2)}"
  width="${pixels(width)}" height="${BAR_HEIGHT}" fill="${color}"/>`;
    x += width;
    return bar;
  });
  const total = sumOf(cost).toFixed(3);
  return [
    text({ x: 16, y: middle + 5 }, label),
    ...bars,
    text({ x: x + 8, y: middle + 5 }, total),
  ].join("\n");
}

function legendOf({ name, color }: (typeof PARTS)[number], index: number): string {
  const x = LABELS_WIDTH + index * 120;
  return `<rect x="${x}" y="44" width="14" height="14" fill="${color}"/>
${text({ x: x + 20, y: 56 }, name)}`;
}

function text(
  at: { readonly x: number; readonly y: number; readonly size?: number; readonly color?: string },
  words: string,
): string {
  const size = at.size === undefined ? "" : ` font-size="${at.size}"`;
  const color = at.color ?? "#222222";
  const place = `x="${pixels(at.x)}" y="${pixels(at.y)}"`;
  return `<text ${place}${size} fill="${color}">${escaped(words)}</text>`;
}

const pixels = (value: number) => Number(value.toFixed(1));

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
