/**
 * Owns what a caller is told about a request that cannot be read at all: both libraries would say
 * INTERNAL, or say it without naming the field.
 */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import type { Refusal } from "../errors.ts";
import { invalidRequest } from "../rpc/validation.ts";

/** The refusal of a body that is not the binary form of the message. */
export function unreadableBinary(schema: DescMessage): Refusal {
  return unreadableRequest(`The request is not a valid ${schema.typeName}.`);
}

/** The refusal of a request of which no field can be blamed: a bad header, bad compression, … */
export function unreadableRequest(message: string): Refusal {
  return invalidRequest(message, [{ field: "", description: message }]);
}

export function requestTooLarge(bytesMax: number): Refusal {
  return unreadableRequest(`A request has at most ${bytesMax} bytes, decompressed as well.`);
}

export function headersTooLarge(bytesMax: number): Refusal {
  return unreadableRequest(`The headers of a call have at most ${bytesMax} bytes.`);
}

/**
 * The refusal of a JSON body that could not be read as the message. It looks for the field to
 * blame by reading the parts one by one, which only ever happens to a broken request.
 */
export function unreadableJson(schema: DescMessage, body: string | undefined): Refusal {
  const json = body === undefined ? undefined : parse(body);
  if (json === undefined) return unreadableRequest("The request is not valid JSON.");
  const { field, description } = locate(schema, json, "");
  return invalidRequest(field === "" ? description : `${field}: ${description}`, [
    { field, description },
  ]);
}

interface Place {
  readonly field: string;
  readonly description: string;
}

function parse(body: string): JsonValue | undefined {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    return undefined;
  }
}

function isReadable(schema: DescMessage, json: JsonValue): boolean {
  try {
    fromJson(schema, json, { ignoreUnknownFields: false });
    return true;
  } catch {
    return false;
  }
}

function isJsonObject(json: JsonValue): json is { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Finds the first part of a message that cannot be read. `path` is where the message stands. */
function locate(schema: DescMessage, json: JsonValue, path: string): Place {
  // The well-known types (Timestamp, …) have JSON forms of their own, without fields.
  if (schema.typeName.startsWith("google.protobuf.") || !isJsonObject(json)) {
    return { field: path, description: `is not a valid ${schema.typeName}` };
  }
  for (const [key, value] of Object.entries(json)) {
    const field = schema.fields.find((each) => each.jsonName === key || each.name === key);
    const place = `${path === "" ? "" : `${path}.`}${field?.name ?? key}`;
    if (field === undefined) return { field: place, description: "is not a field of the request" };
    if (!isReadable(schema, { [key]: value })) return locateIn(schema, field, key, value, place);
  }
  return { field: path, description: "has a field twice" };
}

/** Finds the part of a field that cannot be read: an element, an entry, or the field itself. */
function locateIn(
  schema: DescMessage,
  field: DescField,
  key: string,
  value: JsonValue,
  path: string,
): Place {
  if (field.fieldKind === "message") return locate(field.message, value, path);
  if (field.fieldKind === "list" && Array.isArray(value)) {
    const index = value.findIndex((element) => !isReadable(schema, { [key]: [element] }));
    const element = value[index];
    if (element !== undefined) {
      const place = `${path}[${index}]`;
      if (field.listKind === "message") return locate(field.message, element, place);
      return { field: place, description: `is not a valid ${nameOfType(field)}` };
    }
  }
  if (field.fieldKind === "map" && isJsonObject(value)) {
    const entry = Object.entries(value).find(
      ([name, element]) => !isReadable(schema, { [key]: { [name]: element } }),
    );
    if (entry !== undefined) {
      const place = `${path}[${JSON.stringify(entry[0])}]`;
      return { field: place, description: "is not a valid entry" };
    }
  }
  return { field: path, description: `is not a valid ${nameOfType(field)}` };
}

function nameOfType(field: DescField): string {
  if (field.fieldKind === "list") return field.listKind === "enum" ? field.enum.name : "element";
  if (field.fieldKind === "map") return "map";
  if (field.fieldKind === "enum") return field.enum.name;
  return field.fieldKind === "scalar" ? ScalarType[field.scalar].toLowerCase() : "value";
}
