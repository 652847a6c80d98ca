/**
 * Owns what every mutating RPC of a customer has in common: how its request becomes a write of the
 * pipeline, and in which form its answer is kept to be replayed for ever (W1).
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
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Write } from "../pipeline/job.ts";
import { compileIdentity } from "./fingerprint.ts";
import { fromProtoCustomerName } from "./from-proto/id.ts";
import type { Call } from "./method.ts";

/** What is of one RPC alone. */
export interface Mutation<Result, AnswerInit> {
  readonly needs: readonly Need[];
  readonly verb: (book: Book) => Result;
  /** Converts at once, and knows nothing but the result: a replayed charge comes here again. */
  readonly answer: (result: Result, customerId: CustomerId) => AnswerInit;
  readonly keptIn: Write<Result, AnswerInit>["keptIn"];
}

/** What every mutation of a customer names. */
interface CustomerRequest {
  readonly requestId: string;
  readonly customerId: string;
}

/** Makes the function that turns requests of one RPC into writes. May throw a refusal. */
export function compileWrite<I extends DescMessage, O extends DescMessage, Result>(
  method: DescMethodUnary<I, O>,
  mutationOf: (request: MessageShape<I>) => Mutation<Result, MessageInitShape<O>>,
): (request: MessageShape<I> & CustomerRequest, call: Call) => Write<Result, MessageShape<O>> {
  const identify = compileIdentity(method);
  const encode = (answer: MessageShape<O>) => toBinary(method.output, answer);
  const decode = (stored: Uint8Array) => fromBinary(method.output, stored);
  return (request, call) => {
    const { needs, verb, answer, keptIn } = mutationOf(request);
    const { tenantId, customerId } = fromProtoCustomerName(request, call);
    const identified = identify(request);
    return {
      request: identified.request,
      sizeBytes: identified.sizeBytes,
      tenantId,
      customerId,
      needs,
      verb,
      answer: (result) => create(method.output, answer(result, customerId)),
      encode,
      decode,
      keptIn,
      signal: call.signal,
    };
  };
}
