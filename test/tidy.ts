/**
 * Owns the rules about the shape of the code, as data: which folder may import which, what the
 * pure ones may not contain, what no file may be named. `findUntidy` answers each breach with its
 * file and line; test/tidy.test.ts runs it over the project.
 */
import { posix } from "node:path";
import { type Import, lineAt, listImports, readSource, type SourceText } from "./source-text.ts";

export interface SourceFile {
  /** From the project's root, with slashes: `src/ledger/chart.ts`. */
  readonly path: string;
  readonly source: string;
}

interface Reading extends SourceFile, SourceText {
  readonly imports: readonly Import[];
  /** The row of LAYERS that the file stands in; -1 for none. */
  readonly row: number;
}

/** From top to bottom: each may import what stands in its own row or below it. */
export const LAYERS: readonly (readonly string[])[] = [
  // The composition root: the program, its commands, and what they share.
  ["main.ts"],
  ["serve.ts", "audit.ts", "keys.ts", "usage.ts"],
  ["implementation.ts", "callers.ts", "database-of.ts"],
  ["server"],
  ["config-unknown.ts", "config.ts", "config-web-tokens.ts"],
  ["config-values.ts"],
  ["rpc"],
  ["pipeline", "queries"],
  ["database"],
  ["tracing.ts"],
  ["customer", "registry", "grant", "charge", "invoice"],
  ["book"],
  ["pricing"],
  ["ledger"],
  ["money"],
  ["errors.ts"],
];

/** The nouns and verbs, and what they stand on: all rows from theirs down. */
const PURE = LAYERS.slice(LAYERS.findIndex((row) => row.includes("grant"))).flat();

/** Who may import what from outside src. A name ending in a slash stands for all below it. */
const OUTSIDE: readonly {
  readonly names: readonly string[];
  readonly folders: readonly string[];
}[] = [
  { names: ["typeorm", "pg"], folders: ["pipeline", "queries", "database"] },
  { names: ["@opentelemetry/"], folders: ["tracing.ts"] },
  { names: ["gen/", "@bufbuild/", "@connectrpc/", "@grpc/"], folders: ["rpc", "server"] },
];
const PURE_OUTSIDE = ["decimal.js"];

const KNOW_SQL = ["pipeline", "queries", "database"];
const SQL = anyOf([
  "SELECT\\s+[\\w*('\"]",
  "INSERT\\s+INTO\\b",
  "UPDATE\\s+\\w+\\s+SET\\b",
  "DELETE\\s+FROM\\b",
  "SET\\s+LOCAL\\b",
  "(?:CREATE|ALTER|DROP|TRUNCATE)\\s+(?:TABLE|INDEX|ROLE|FUNCTION|POLICY|SCHEMA|DATABASE)\\b",
]);

const IMPURE_CODE = anyOf([
  "(?:async|await|Promise)\\b",
  "(?:new Date|Date\\.now|Math\\.random|randomUUID)\\b",
  "(?:process|performance)\\.",
  "(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch)\\b",
]);

const ANYWHERE: readonly (readonly [part: keyof SourceText, pattern: RegExp, why: string])[] = [
  ["code", /\bexport\s+default\b/g, "exports a default: name it"],
  ["code", /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/gm, "declares an enum"],
  ["code", /^\s*(?:export\s+)?(?:declare\s+)?namespace\s+\w/gm, "declares a namespace"],
  ["comments", /@ts-(?:ignore|nocheck|expect-error)|biome-ignore/g, "silences a check"],
  ["comments", /\b(?:TODO|FIXME|XXX)\b/g, "is unfinished"],
];

/** A pattern for any of these, where a word begins. */
function anyOf(patterns: readonly string[]): RegExp {
  return new RegExp(`\\b(?:${patterns.join("|")})`, "g");
}

const EMPTY_NAMES = /^(utils?|helpers?|common|types?|services?|misc|index)$/;
export const LINES_MAX = 400;
export const LINE_CHARACTERS_MAX = 100;

/** Lists what breaks the rules, as `path:line what is wrong`. */
export function findUntidy(files: readonly SourceFile[]): string[] {
  const readings = files.map((file): Reading => {
    const text = readSource(file.source);
    return { ...file, ...text, imports: listImports(text), row: rowOf(file.path) };
  });
  return [
    ...readings.flatMap((file) => [
      ...checkPlace(file),
      ...checkImports(file),
      ...checkContent(file),
      ...checkSize(file),
    ]),
    ...findCycles(readings),
  ];
}

/** `src/ledger/chart.ts` stands in `ledger`, `src/errors.ts` in `errors.ts`; a test in neither. */
function folderOf(path: string): string | undefined {
  const [top, folder] = path.split("/");
  return top === "src" ? folder : undefined;
}

function rowOf(path: string): number {
  const folder = folderOf(path);
  return folder === undefined ? -1 : LAYERS.findIndex((row) => row.includes(folder));
}

const problem = ({ path, source }: SourceFile, at: number, what: string): string =>
  `${path}:${lineAt(source, at)} ${what}`;

function checkPlace(file: Reading): string[] {
  const found: string[] = [];
  if (file.path.startsWith("src/") && file.row === -1) {
    found.push(problem(file, 0, "stands in no folder of the architecture"));
  }
  for (const name of file.path.split("/")) {
    if (EMPTY_NAMES.test(name.replace(/(\.test)?\.ts$/, ""))) {
      found.push(problem(file, 0, `is named ${name}, which says nothing about what it owns`));
    }
  }
  return found;
}

function checkImports(file: Reading): string[] {
  return file.imports.flatMap(({ specifier, at }) => {
    const say = (what: string) => problem(file, at, `imports ${specifier}: ${what}`);
    if (!specifier.startsWith(".")) return checkOutside(file, specifier).map(say);
    if (!specifier.endsWith(".ts")) return [say("a relative import ends in .ts")];
    if (file.row === -1) return [];

    const target = posix.join(posix.dirname(file.path), specifier);
    if (!target.startsWith("src/")) return checkOutside(file, target).map(say);
    const targetRow = rowOf(target);
    return targetRow < file.row
      ? [say(`${folderOf(target)} stands above ${folderOf(file.path)}`)]
      : [];
  });
}

/** What comes from packages and from generated code. */
function checkOutside(file: Reading, name: string): string[] {
  const folder = folderOf(file.path);
  if (folder === undefined) return [];
  const found: string[] = [];
  for (const { names, folders } of OUTSIDE) {
    const isNamed = names.some((each) =>
      each.endsWith("/") ? name.startsWith(each) : name === each,
    );
    if (isNamed && !folders.includes(folder)) found.push(`only ${folders.join(", ")} may`);
  }
  if (found.length === 0 && PURE.includes(folder) && !PURE_OUTSIDE.includes(name)) {
    found.push(`${folder} is pure`);
  }
  return found;
}

function checkContent(file: Reading): string[] {
  const folder = folderOf(file.path);
  const findAll = (text: string, pattern: RegExp, what: (found: string) => string) =>
    Array.from(text.matchAll(pattern), ({ 0: found, index }) =>
      // A pattern that is bound to the start of a line takes the blanks before the word with it.
      problem(file, index + found.search(/\S/), what(found.trim())),
    );
  const found = ANYWHERE.flatMap(([part, pattern, why]) => findAll(file[part], pattern, () => why));
  if (folder === undefined) return found;
  if (PURE.includes(folder)) {
    found.push(...findAll(file.code, IMPURE_CODE, (word) => `says ${word}: ${folder} is pure`));
  }
  if (!KNOW_SQL.includes(folder)) {
    found.push(
      ...findAll(file.strings, SQL, (sql) => `says ${sql}: only ${KNOW_SQL.join(", ")} know SQL`),
    );
  }
  return found;
}

/** The contents of strings do not count: breaking a statement or a URL makes it no clearer. */
function checkSize(file: Reading): string[] {
  const lines = file.source.trimEnd().split("\n");
  const found =
    lines.length > LINES_MAX
      ? [`${file.path}:${LINES_MAX + 1} has ${lines.length} lines, more than ${LINES_MAX}`]
      : [];
  const strings = file.strings.split("\n");
  lines.forEach((line, index) => {
    const length = line.length - (strings[index]?.trim().length ?? 0);
    if (length > LINE_CHARACTERS_MAX) {
      found.push(`${file.path}:${index + 1} is longer than ${LINE_CHARACTERS_MAX} characters`);
    }
  });
  return found;
}

/** Files that need each other cannot be read one after the other. Types alone do not count. */
function findCycles(files: readonly Reading[]): string[] {
  const next = new Map(
    files.map(({ path, imports }) => [
      path,
      imports
        .filter(({ specifier, isTypeOnly }) => specifier.startsWith(".") && !isTypeOnly)
        .map(({ specifier }) => posix.join(posix.dirname(path), specifier)),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      const circle = [...way.slice(way.indexOf(path)), path];
      found.push(`${path}:1 imports itself: ${circle.join(" → ")}`);
    } else if (!done.has(path)) {
      for (const target of next.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    }
  };
  for (const { path } of files) visit(path, []);
  return found;
}
