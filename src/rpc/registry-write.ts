/**
 * Owns what every mutating RPC of a tenant's registry has in common: how its request becomes a
 * write of the pipeline, and in which form its answer is kept to be replayed for ever (W1).
 */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { RegistryWrite } from "../pipeline/job.ts";
import { compileIdentity } from "./fingerprint.ts";
import type { Call } from "./method.ts";

/** What is of one RPC alone. */
export type RegistryMutation<Result, AnswerInit> = Pick<
  RegistryWrite<Result, AnswerInit>,
  "customerId" | "needs" | "verb" | "answer"
>;

/**
 * Makes the function that turns requests of one RPC into writes. May throw a refusal. `given` is
 * what the write needs and the request does not say, so it is no part of its fingerprint.
 */
export function compileRegistryWrite<
  I extends DescMessage,
  O extends DescMessage,
  Result,
  Given = undefined,
>(
  method: DescMethodUnary<I, O>,
  mutationOf: (
    request: MessageShape<I>,
    given: Given,
  ) => RegistryMutation<Result, MessageInitShape<O>>,
): (
  request: MessageShape<I> & { readonly requestId: string },
  call: Call,
  ...given: Given extends undefined ? [] : [Given]
) => RegistryWrite<Result, MessageShape<O>> {
  const identify = compileIdentity(method);
  const encode = (answer: MessageShape<O>) => toBinary(method.output, answer);
  const decode = (stored: Uint8Array) => fromBinary(method.output, stored);
  return (request, { tenantId, signal }, ...[given]) => {
    const { answer, ...mutation } = mutationOf(request, given as Given);
    return {
      ...identify(request),
      ...mutation,
      tenantId,
      answer: (result) => create(method.output, answer(result)),
      encode,
      decode,
      signal,
    };
  };
}
