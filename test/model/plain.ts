/**
 * Owns how messages of the contract become plain values and back: amounts are integers of 10^-12
 * units, moments are microseconds since 1970, enum values are their names without the prefix.
 */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { decimal, show } from "./figures.ts";

/** The texts that are amounts: these, and whatever ends so. */
const AMOUNTS = /^(amount|quantity|upTo|packageSize|perUnitCost)$|Amount$/;
type Balances = `${"settled" | "pending" | "grantRemaining" | "grantHeld"}After`;
type Sums = "remaining" | "held" | "returned" | "subtotal" | "total" | `credits${string}`;
type Requested = "amount" | "quantity" | "upTo" | "packageSize" | "perUnitCost";
type Amounts = Requested | `${string}Amount` | Sums | Balances;

type Value<T, Empty> = T extends Timestamp
  ? bigint
  : T extends number
    ? number extends T
      ? number
      : string
    : T extends readonly (infer Row)[]
      ? Value<Row, Empty>[]
      : T extends object
        ? Plain<T, Empty>
        : T;

/** A message as plain values; what a request leaves out is empty. */
export type Plain<T, Empty = never> = {
  [K in keyof T as K extends `$${string}` ? never : K]-?: K extends Amounts
    ? bigint | Empty
    : Value<T[K], Empty> | (K extends "value" ? never : MaybeUndefined<T[K]>);
};
type MaybeUndefined<T> = NonNullable<T> extends Message ? undefined : never;

type Fields = { readonly [name: string]: unknown };

/** Converts what stands in a field, each of many. */
function each(value: unknown, convert: (one: unknown) => unknown): unknown {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.map(convert) : convert(value);
}

/** Converts all members of a message; of a oneof the case that is set. */
function convertAll(
  desc: DescMessage,
  source: Fields,
  convert: (field: DescField, value: unknown) => unknown,
): Fields {
  const entries = desc.members.map((member) => {
    const value = source[member.localName];
    if (member.kind === "field") return [member.localName, convert(member, value)];
    const chosen = value as { readonly case?: string; readonly value?: unknown } | undefined;
    const field = member.fields.find(({ localName }) => localName === chosen?.case);
    const set = field && { case: field.localName, value: convert(field, chosen?.value) };
    return [member.localName, set ?? { case: undefined }];
  });
  return Object.fromEntries(entries) as Fields;
}

const isMoment = (field: DescField) => field.message?.typeName === TimestampSchema.typeName;

export function read<T extends DescMessage>(desc: T, message: object): Plain<MessageShape<T>> {
  const convert = (field: DescField, value: unknown): unknown =>
    each(value, (one) => {
      if (field.fieldKind === "map") return Object.fromEntries(Object.entries(Object(one)).sort());
      if (field.enum) return field.enum.value[one as number]?.localName;
      if (isMoment(field)) return momentOf(one as Timestamp);
      if (field.message) return read(field.message, one as object);
      const isAmount = typeof one === "string" && AMOUNTS.test(field.localName);
      if (!isAmount) return one;
      return one === "" ? undefined : decimal(one);
    });
  return convertAll(desc, message as Fields, convert) as Plain<MessageShape<T>>;
}

export function write<T extends DescMessage>(desc: T, plain: object): MessageShape<T> {
  const convert = (field: DescField, value: unknown): unknown =>
    each(value, (one) => {
      if (field.enum) return field.enum.values.find(({ localName }) => localName === one)?.number;
      if (isMoment(field)) return timestampOf(one as bigint);
      if (field.message && field.fieldKind !== "map") return write(field.message, one as object);
      return typeof one === "bigint" && field.scalar === ScalarType.STRING ? show(one) : one;
    });
  return create(desc, convertAll(desc, plain as Fields, convert) as never);
}

/** A resource in which nothing is set but these fields. */
export function make<T extends DescMessage>(
  desc: T,
  fields: Partial<Plain<MessageShape<T>>>,
): Plain<MessageShape<T>> {
  return { ...read(desc, create(desc)), ...fields };
}

export const momentOf = ({ seconds, nanos }: Timestamp) =>
  seconds * 1_000_000n + BigInt(nanos) / 1_000n;

export function timestampOf(moment: bigint): Timestamp {
  const [seconds, nanos] = [moment / 1_000_000n, Number(moment % 1_000_000n) * 1_000];
  return { $typeName: TimestampSchema.typeName, seconds, nanos };
}

/** Writes a request so that equal ones read alike (W1). */
export const formOf = (ask: unknown) =>
  JSON.stringify(ask, (_, each) => (typeof each === "bigint" ? String(each) : each));
