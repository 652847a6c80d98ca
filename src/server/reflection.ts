/**
 * Owns server reflection, v1 and the older v1alpha, so that buf curl and grpcurl need no schema. It
 * is open: the contract is public, and tools ask for it before they send a key.
 */
import {
  createRegistry,
  type DescFile,
  type DescService,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  type ServerReflectionRequest,
  ServerReflection as V1,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as V1Alpha,
  type ServerReflectionRequest as V1AlphaRequest,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { type ImplementedService, implementOpen } from "../rpc/method.ts";

/** Makes both reflection services. They describe the services given, and themselves. */
export function reflection(services: readonly DescService[]): readonly ImplementedService[] {
  const schema = new ReflectedSchema([...services, V1, V1Alpha]);
  return [
    implementOpen(V1, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield answer(schema, request);
      },
    }),
    implementOpen(V1Alpha, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield answer(schema, request);
      },
    }),
  ];
}

/** Answers one question. Both versions ask and answer alike, but for the package's name. */
function answer<R extends ServerReflectionRequest | V1AlphaRequest>(
  schema: ReflectedSchema,
  request: R,
) {
  return {
    validHost: request.host,
    originalRequest: request,
    messageResponse: schema.find(request.messageRequest),
  };
}

class ReflectedSchema {
  readonly #services: readonly DescService[];
  readonly #files = new Map<string, DescFile>();
  readonly #registry: Registry;
  readonly #bytes = new Map<DescFile, Uint8Array>();

  constructor(services: readonly DescService[]) {
    this.#services = services;
    for (const { file } of services) {
      for (const each of closureOf(file)) this.#files.set(each.proto.name, each);
    }
    this.#registry = createRegistry(...this.#files.values());
  }

  find(question: ServerReflectionRequest["messageRequest"] | V1AlphaRequest["messageRequest"]) {
    switch (question.case) {
      case "listServices":
        return this.#listServices();
      case "fileByFilename":
        return this.#describe(this.#files.get(question.value), question.value);
      case "fileContainingSymbol":
        return this.#describe(this.#fileOfSymbol(question.value), question.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const extension = this.#extensionsOf(containingType).find(
          ({ number }) => number === extensionNumber,
        );
        return this.#describe(extension?.file, `${containingType}:${extensionNumber}`);
      }
      case "allExtensionNumbersOfType":
        return {
          case: "allExtensionNumbersResponse" as const,
          value: {
            baseTypeName: question.value,
            extensionNumber: this.#extensionsOf(question.value).map(({ number }) => number),
          },
        };
      default:
        return errorResponse(Code.InvalidArgument, "the request asks for nothing");
    }
  }

  #listServices() {
    const names = this.#services.map(({ typeName }) => typeName).sort();
    const service = names.map((name) => ({ name }));
    return { case: "listServicesResponse" as const, value: { service } };
  }

  /** A file comes with all that it imports, so that one question is enough. */
  #describe(file: DescFile | undefined, what: string) {
    if (file === undefined) return errorResponse(Code.NotFound, `not found: ${what}`);
    const fileDescriptorProto = [...closureOf(file)].map((each) => this.#bytesOf(each));
    return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
  }

  #bytesOf(file: DescFile): Uint8Array {
    const known = this.#bytes.get(file);
    if (known !== undefined) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    this.#bytes.set(file, bytes);
    return bytes;
  }

  /** A symbol is a type or a service, or a member of one. */
  #fileOfSymbol(symbol: string): DescFile | undefined {
    const found = this.#registry.get(symbol);
    if (found !== undefined) return found.file;
    const dot = symbol.lastIndexOf(".");
    const parent = dot < 0 ? undefined : this.#registry.get(symbol.slice(0, dot));
    const name = symbol.slice(dot + 1);
    const members =
      parent?.kind === "service"
        ? parent.methods
        : parent?.kind === "message"
          ? [...parent.fields, ...parent.oneofs]
          : parent?.kind === "enum"
            ? parent.values
            : [];
    return members.some((each) => each.name === name) ? parent?.file : undefined;
  }

  #extensionsOf(typeName: string) {
    return [...this.#registry].flatMap((each) =>
      each.kind === "extension" && each.extendee.typeName === typeName ? [each] : [],
    );
  }
}

function errorResponse(errorCode: Code, errorMessage: string) {
  return {
    case: "errorResponse" as const,
    value: { errorCode: errorCode as number, errorMessage },
  };
}

function closureOf(file: DescFile, seen = new Set<DescFile>()): Set<DescFile> {
  if (!seen.has(file)) {
    seen.add(file);
    for (const each of file.dependencies) closureOf(each, seen);
  }
  return seen;
}
