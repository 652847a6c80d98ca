/**
 * Owns stories: calls in order, written as data. A text that begins with `$` stands for a value of
 * an earlier answer (`$gift.creditGrant.id`), `$customer` for the story's customer. What every
 * request of a mutation has, a story leaves out: the request id is the step's name.
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { type Caller, methodOf, valueAt } from "./caller.ts";

/** Says that an answer leaves a field out, as JSON does with what is empty or not set. */
export const NOTHING = undefined;

export type Says = Readonly<Record<string, JsonValue | undefined>>;

export interface Step {
  readonly name: string;
  readonly rpc: string;
  readonly request: JsonObject;
  /** What the answer says, by path. */
  readonly says: Says;
}

export function step(name: string, rpc: string, request: JsonObject, says: Says = {}): Step {
  return { name, rpc, request, says };
}

export class Story {
  readonly caller: Caller;
  readonly customer: string;
  readonly #answers = new Map<string, JsonObject>();

  constructor(caller: Caller, customer: string) {
    this.caller = caller;
    this.customer = customer;
  }

  /** Begins with a customer who has nothing. Nobody else may have the key. */
  static async begin(caller: Caller, key: string): Promise<Story> {
    const answer = await caller.call("CreateCustomer", { requestId: key, key });
    return new Story(caller, String(valueAt(answer, "customer.id")));
  }

  /** Makes the calls of a story, and compares each answer with what it must say. */
  async tell(steps: readonly Step[]): Promise<void> {
    for (const { name, rpc, request, says } of steps) {
      const answer = await this.call(rpc, request, name);
      for (const [path, value] of Object.entries(says)) {
        expect(valueAt(answer, path), `${name}: ${path}`).toEqual(this.resolve(value));
      }
    }
  }

  /** Makes one call. Its answer can be referred to by the name. */
  async call(rpc: string, request: JsonObject, name: string): Promise<JsonObject> {
    const answer = await this.caller.call(rpc, this.requestOf(rpc, request, name));
    this.#answers.set(name, answer);
    return answer;
  }

  /** The request in full. */
  requestOf(rpc: string, request: JsonObject, name: string): JsonObject {
    const { field } = methodOf(rpc).input;
    const { customer } = this;
    return {
      ...("requestId" in field ? { requestId: name } : {}),
      ...("customerId" in field && !("key" in request) ? { customerId: customer } : {}),
      ...(this.resolve(request) as JsonObject),
    };
  }

  /** A value of the answer to an earlier step. */
  at(name: string, path: string): string {
    return String(valueAt(this.#answers.get(name), path));
  }

  resolve(value: JsonValue): JsonValue;
  resolve(value: JsonValue | undefined): JsonValue | undefined;
  resolve(value: JsonValue | undefined): JsonValue | undefined {
    if (value === NOTHING) return value;
    if (value === "$customer") return this.customer;
    if (typeof value === "string" && value.startsWith("$")) {
      const [name = "", ...path] = value.slice(1).split(".");
      const found = valueAt(this.#answers.get(name), path.join("."));
      if (found === undefined) throw new Error(`no answer has ${value}`);
      return found;
    }
    if (Array.isArray(value)) return value.map((each) => this.resolve(each));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, this.resolve(each)]),
    );
  }
}
