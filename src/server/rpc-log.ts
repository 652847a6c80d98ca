/**
 * Owns the one line that the log has for each RPC: what was called, how it ended, how long it took,
 * and the ids to find it again by. It holds no key and no text of a caller's; amounts stand in it
 * only for those who ask for them.
 */
import type { DescField, DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import type { Logger } from "./log.ts";

/** What is known of a call when it has ended. */
export interface EndedCall {
  /** OK, or how gRPC writes the code. */
  readonly code: string;
  readonly reason: string | undefined;
  readonly durationMs: number;
  readonly tenantId: string | undefined;
  /** By which credential it was let in: the id of an API key, or what else the caller went by. */
  readonly caller: string | undefined;
  /** Undefined when it could not be read. */
  readonly request: Message | undefined;
  readonly response: Message | undefined;
}

export type WriteLine = (call: EndedCall) => void;

type Facts = Record<string, unknown>;
type Reader = (message: Message, facts: Facts) => void;

/** What is wrong with a request may also be that an id is very long; so may a token's subject. */
const VALUE_CHARACTERS_MAX = 128;
const AMOUNTS: readonly string[] = ["amount", "quantity"];

/** Makes the function that writes the lines of one RPC. Probes of an open service are debug's. */
export function compileLine(
  method: DescMethod,
  {
    logger,
    isOpen,
    withAmounts,
  }: {
    readonly logger: Logger;
    readonly isOpen: boolean;
    readonly withAmounts: boolean;
  },
): WriteLine {
  const level = isOpen ? "debug" : "info";
  const path = `/${method.parent.typeName}/${method.name}`;
  const readRequest = readersOf(
    method.input,
    (name) => isId(name) || (withAmounts && isAmount(name)),
  );
  const readResponse = resourcesOf(method.output);
  return ({ code, reason, durationMs, tenantId, caller, request, response }) => {
    if (!logger.isLevelEnabled(level)) return;
    const facts: Facts = {
      method: path,
      code,
      reason,
      duration_ms: Math.round(durationMs * 1000) / 1000,
      tenant_id: tenantId,
      caller: caller?.slice(0, VALUE_CHARACTERS_MAX),
    };
    if (request !== undefined) for (const read of readRequest) read(request, facts);
    if (response !== undefined) for (const read of readResponse) read(response, facts);
    logger[level](facts, "rpc");
  };
}

const isId = (name: string) => name.endsWith("_id");
const isAmount = (name: string) => AMOUNTS.includes(name);

/** Reads the strings of a message whose names are wanted, where they are set. */
function readersOf(schema: DescMessage, isWanted: (name: string) => boolean): readonly Reader[] {
  return schema.fields
    .filter(({ name }) => isWanted(name))
    .map((field) => {
      const find = finderOf(field);
      return (message, facts) => {
        const value = find(message);
        if (typeof value === "string" && value !== "") {
          facts[field.name] = value.slice(0, VALUE_CHARACTERS_MAX);
        }
      };
    });
}

function finderOf(field: DescField): (message: Message) => unknown {
  const { oneof, localName } = field;
  if (oneof === undefined) return (message) => (message as unknown as Facts)[localName];
  return (message) => {
    const chosen = (message as unknown as Facts)[oneof.localName] as {
      readonly case?: string;
      readonly value?: unknown;
    };
    return chosen.case === localName ? chosen.value : undefined;
  };
}

/** Reads the id of each resource that an answer holds: of `charge` it is the `charge_id`. */
function resourcesOf(schema: DescMessage): readonly Reader[] {
  return schema.fields.flatMap(({ fieldKind, name, localName, message }): Reader[] => {
    if (fieldKind !== "message" || !message.fields.some((field) => field.name === "id")) return [];
    return [
      (response, facts) => {
        const resource = (response as unknown as Facts)[localName] as
          | { readonly id: string }
          | undefined;
        if (resource !== undefined) facts[`${name}_id`] = resource.id;
      },
    ];
  });
}
