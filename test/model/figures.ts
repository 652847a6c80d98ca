/** Owns the model's arithmetic: money as integers of 10^-12 units, moments as microseconds. */
import type { Price } from "../../gen/drawdown/v1/price_pb.ts";
import type { Plain } from "./plain.ts";

export const UNIT = 10n ** 12n;
/** No sum of credit and no price reaches this. */
export const LIMIT = 10n ** 24n * UNIT;
export const DAY = 86_400_000_000n;

export function decimal(text: string): bigint {
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const digits = BigInt(whole + fraction.padEnd(12, "0"));
  return text.startsWith("-") ? -digits : digits;
}

export function show(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(13, "0");
  const text = `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, "");
  return value < 0n ? `-${text}` : text;
}

/** Rounds a figure with `scale` decimals to `digits`, half away from zero; answers an amount. */
export function round(value: bigint, scale: number, digits: number): bigint {
  const step = 10n ** BigInt(scale - digits);
  const half = value < 0n ? -step / 2n : step / 2n;
  return ((value + half) / step) * 10n ** BigInt(12 - digits);
}

export const least = (left: bigint, right: bigint) => (left < right ? left : right);
export const most = (left: bigint, right: bigint) => (left > right ? left : right);
export const total = (rows: readonly { readonly amount: bigint }[]) =>
  rows.reduce((sum, { amount }) => sum + amount, 0n);

/** What a quantity comes to, with 24 decimals (D1). */
export function rate({ model }: Plain<Price>, quantity: bigint): bigint {
  if (model.case === "flat") return model.value.amount * UNIT;
  if (model.case === "perUnit") return quantity * model.value.unitAmount;
  if (model.case === "package") {
    const { amount, packageSize } = model.value;
    return ((quantity + packageSize - 1n) / packageSize) * amount * UNIT;
  }
  let [bottom, sum] = [0n, 0n];
  for (const { upTo = LIMIT * UNIT, unitAmount, flatAmount } of model.value?.tiers ?? []) {
    const price = (part: bigint) => part * unitAmount + flatAmount * UNIT;
    if (model.case === "volume" && quantity <= upTo) return price(quantity);
    if (quantity > bottom || bottom === 0n) sum += price(least(quantity, upTo) - bottom);
    bottom = upTo;
  }
  return sum;
}

const DURATION = /^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(?:T(\d+H)?(\d+M)?(\d+S)?)?$/;

/** Adds a duration in UTC. Whole days are safe in a Date; the time of day stays out of it. */
export function addDuration(moment: bigint, duration: string): bigint {
  const parts = (DURATION.exec(duration) ?? []).map((part) => Number.parseInt(part ?? "0", 10));
  const [, years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  const from = new Date(Number(moment / DAY) * 86_400_000);
  const [year, month] = [from.getUTCFullYear() + years, from.getUTCMonth() + months];
  const monthEnd = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const date = Date.UTC(year, month, Math.min(from.getUTCDate(), monthEnd));
  const time = (weeks * 7 + days) * 86_400 + hours * 3_600 + minutes * 60 + seconds;
  return BigInt(date) * 1_000n + (moment % DAY) + BigInt(time) * 1_000_000n;
}
