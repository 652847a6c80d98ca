/**
 * Owns calling an RPC from within the process, for commands of the operator at the machine: the
 * request is JSON as over the wire and is checked in the same way, but no key is asked for.
 */
import { create, fromJson, type JsonObject, type Message, toJson } from "@bufbuild/protobuf";
import { assert } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { ImplementedMethod, ImplementedService } from "./method.ts";
import { invalidRequest, requireValid } from "./validation.ts";

/** Calls a unary RPC of the service by its name, on behalf of a tenant. */
export async function callInProcess(
  { methods }: ImplementedService,
  rpc: { readonly name: string; readonly request: JsonObject; readonly tenantId: TenantId },
): Promise<JsonObject> {
  const { name, request, tenantId } = rpc;
  const found = methods.find(({ method }) => method.name === name);
  assert(found?.handler.kind === "unary", `${name} is a unary RPC of the service`);
  const { output } = found.method;
  const noteBug = (error: unknown) => {
    throw error;
  };
  const { signal } = new AbortController();
  const call = { tenantId, customerId: null, signal, noteBug };
  const answer = await found.handler.handle(readRequest(found, request), call);
  return toJson(output, create(output, answer)) as JsonObject;
}

function readRequest({ method: { input } }: ImplementedMethod, request: JsonObject): Message {
  let message: Message;
  try {
    message = fromJson(input, request);
  } catch (error) {
    throw invalidRequest(error instanceof Error ? error.message : String(error), []);
  }
  requireValid(input, message);
  return message;
}
