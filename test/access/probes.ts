/**
 * Owns what is tried of every RPC, made from its descriptor: each field that can name something,
 * in messages at any depth, is given another's name, and then one that nobody has. Whoever may not
 * know of the thing must not be able to tell the two apart.
 */
import type { DescField, DescMessage, DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { type Caller, refusedOf, valueAt } from "../wire/caller.ts";
import type { Story } from "../wire/story.ts";
import { freshId, type MadeKey } from "./keys.ts";
import { FRESH, REQUESTS } from "./requests.ts";

const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";

/** The fields whose value names something that somebody made. */
const NAMING = /^(.*_id|.*key|code|currency|page_token|cursor)$/;

export interface Probe {
  readonly rpc: string;
  /** The field that is tried. */
  readonly field: string;
  readonly theirs: JsonObject;
  readonly nobodys: JsonObject;
}

/** The path of each field that the request has and that names something. */
function namingPaths(message: DescMessage, request: JsonObject, before = ""): readonly string[] {
  return message.fields.flatMap((field: DescField) => {
    const path = `${before}${field.jsonName}`;
    const nested = field.message?.typeName.startsWith("drawdown.") ? field.message : undefined;
    const value = request[field.jsonName];
    if (nested !== undefined && field.fieldKind === "list") {
      const [first] = (value ?? []) as JsonObject[];
      return first === undefined ? [] : namingPaths(nested, first, `${path}.0.`);
    }
    if (nested !== undefined || !NAMING.test(field.name) || field.name === "request_id") return [];
    const isPage = field.name === "page_token" || field.name === "cursor";
    return value !== undefined || isPage ? [path] : [];
  });
}

/** Who asks, and whose things it is that he tries to reach. */
export interface Attempt {
  readonly own: Story;
  readonly key: MadeKey;
  readonly tenantId: string;
  /** What another's field has: undefined where the other has nothing of the kind. */
  readonly theirs: (method: DescMethod, field: string) => string | undefined;
}

export function probesOf(method: DescMethod, attempt: Attempt): readonly Probe[] {
  return requestsOf(method, attempt).flatMap((request) => {
    const paths = namingPaths(method.input, request);
    const theirsOf = new Map(
      paths.map((path) => [path, attempt.theirs(method, path.split(".").at(-1) ?? "")]),
    );
    const known = paths.filter((path) => theirsOf.get(path) !== undefined);
    const tried = known.length > 1 ? [...known.map((path) => [path]), known] : [known];
    return tried
      .filter((each) => each.length > 0)
      .map((each) => ({
        rpc: method.name,
        field: each.join(" and "),
        theirs: withNames(request, each, (path) => theirsOf.get(path) ?? ""),
        nobodys: withNames(request, each, (path) => nobodysName(method, path)),
      }));
  });
}

/** The requests that are in order for the caller, in full. */
export function requestsOf(method: DescMethod, { own, key, tenantId }: Attempt) {
  return (REQUESTS[method.name] ?? []).map((words) => {
    const named = JSON.stringify(words)
      .replaceAll('"$tenant"', JSON.stringify(tenantId))
      .replaceAll('"$key"', JSON.stringify(key.apiKeyId))
      .replaceAll(JSON.stringify(FRESH), () => JSON.stringify(freshName(method)));
    return own.requestOf(method.name, JSON.parse(named) as JsonObject, freshId());
  });
}

const freshName = ({ name }: DescMethod) =>
  name === "CreateCurrency" ? freshId().toUpperCase().replaceAll("-", "_") : freshId();

function nobodysName({ name }: DescMethod, path: string): string {
  const field = path.split(".").at(-1) ?? "";
  if (field.endsWith("Id")) return NOBODY;
  if (field === "currency") return "NOBODYS";
  if (field === "code") return "NOBODYS_UNTIL_NOW";
  if (field === "key") return name.startsWith("Create") ? "nobody's until now" : "nobody's";
  return field.endsWith("Key") ? "nobody's" : "bm9ib2R5";
}

function withNames(
  request: JsonObject,
  paths: readonly string[],
  nameOf: (path: string) => string,
): JsonObject {
  const copy = structuredClone(request);
  if ("requestId" in copy) Object.assign(copy, { requestId: freshId() });
  for (const path of paths) {
    const steps = path.split(".");
    const last = steps.pop() ?? "";
    const holder = steps.length === 0 ? copy : (valueAt(copy, steps.join(".")) as JsonObject);
    holder[last] = nameOf(path);
    if ("requestId" in holder) Object.assign(holder, { requestId: freshId() });
  }
  return copy;
}

/** What a caller is told: the first message, or how it was refused. */
export async function outcomeOf(
  caller: Caller,
  method: DescMethod,
  request: JsonObject,
): Promise<JsonValue> {
  try {
    if (method.methodKind === "unary") return await caller.call(method.name, request);
    const controller = new AbortController();
    for await (const message of caller.stream(method.name, request, controller.signal)) {
      setImmediate(() => controller.abort());
      return message;
    }
    return null;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return { refused: { ...refusedOf(error), fields: [...refusedOf(error).fields] } };
  }
}

/** What differs from one call to the next for reasons of its own. */
const OWN = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, "an id"],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "a time"],
  [/access-\d+/g, "a fresh name"],
  [/("(?:\w+Cursor|\w*[tT]oken|sequence)":)"[^"]*"/g, '$1"a place"'],
] as const;

/** The outcome as it must be for either of two requests, of which each has names of its own. */
export function withoutNames(outcome: JsonValue, request: JsonObject, field: string): string {
  let text = JSON.stringify(outcome);
  for (const path of field.split(" and ")) {
    text = text.replaceAll(JSON.stringify(valueAt(request, path)).slice(1, -1), "the name");
  }
  return OWN.reduce((said, [pattern, word]) => said.replace(pattern, word), text);
}
