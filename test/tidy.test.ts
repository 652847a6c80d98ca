import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { listImports, readSource } from "./source-text.ts";
import { findUntidy, LAYERS, LINES_MAX, type SourceFile } from "./tidy.ts";

const root = join(import.meta.dirname, "..");

function listSources(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({
      path: `${folder}/${name.split(sep).join("/")}`,
      source: readFileSync(join(root, folder, name), "utf8"),
    }));
}

describe("the project's own code", () => {
  test("is tidy", () => {
    const files = [...listSources("src"), ...listSources("test")];

    expect(files.length).toBeGreaterThan(20);
    expect(findUntidy(files)).toEqual([]);
  });
});

describe("each rule about the shape of the code", () => {
  const longLine = `const sum = ${"1 + ".repeat(30)}1;`;

  test.each<[path: string, source: string, problems: readonly RegExp[]]>([
    // Each may import what stands below it, nothing above it.
    ["src/rpc/a.ts", 'import { x } from "../pipeline/lane.ts";', []],
    [
      "src/pipeline/a.ts",
      'import { x } from "../rpc/b.ts";',
      [/^src\/pipeline\/a\.ts:1 .*rpc stands above pipeline/],
    ],
    [
      "src/ledger/a.ts",
      '\nimport type { B } from "../book/book.ts";',
      [/a\.ts:2 .*book stands above ledger/],
    ],
    ["src/money/a.ts", 'export * from "../ledger/b.ts";', [/ledger stands above money/]],
    ["src/errors.ts", 'import "./money/amount.ts";', [/money stands above errors\.ts/]],
    ["src/queries/a.ts", 'const x = import("../server/b.ts");', [/server stands above queries/]],
    ["src/grant/a.ts", 'import { x } from "../invoice/draft.ts";', []],
    ["src/grant/a.ts", 'import { x } from "./b.ts";', []],
    ["src/main.ts", 'import { x } from "./server/grpc.ts";', []],
    ["src/database/a.ts", 'import { x } from "../main.ts";', [/main\.ts stands above database/]],
    ["src/rpc/a.ts", 'import { x } from "../queries/b.js";', [/a relative import ends in \.ts/]],
    ["src/elsewhere/a.ts", "", [/elsewhere\/a\.ts:1 stands in no folder/]],
    // Who knows the database, and who the wire.
    ["src/database/a.ts", 'import pg from "pg";', []],
    ["src/rpc/a.ts", 'import pg from "pg";', [/imports pg: only pipeline, queries, database may/]],
    ["src/server/a.ts", 'import { x } from "typeorm";', [/imports typeorm: only/]],
    ["src/server/a.ts", 'import { x } from "@grpc/grpc-js";', []],
    ["src/rpc/a.ts", 'import { x } from "../../gen/drawdown/v1/charge_pb.ts";', []],
    [
      "src/queries/a.ts",
      'import { x } from "../../gen/drawdown/v1/charge_pb.ts";',
      [/only rpc, server may/],
    ],
    ["src/pipeline/a.ts", 'import { x } from "@bufbuild/protobuf/wkt";', [/only rpc, server may/]],
    ["src/main.ts", 'import { x } from "@connectrpc/connect";', [/only rpc, server may/]],
    ["src/queries/a.ts", 'const sql = "SELECT 1";', []],
    [
      "src/rpc/a.ts",
      "const sql = `\n  select\n  SELECT id FROM customers`;",
      [/a\.ts:3 says SELECT i: only pipeline, queries, database know SQL/],
    ],
    ["src/charge/a.ts", 'const sql = "UPDATE charge SET amount = 1";', [/says UPDATE charge SET/]],
    ["src/server/a.ts", 'const why = "SELECTED grants, DELETE nothing";', []],
    ["src/server/a.ts", "// SELECT id FROM customers is what the query does", []],
    // What is pure.
    [
      "src/grant/a.ts",
      "export async function f() {\n  await g();\n}",
      [/:1 says async: grant is pure/, /:2 says await/],
    ],
    ["src/ledger/a.ts", "const p: Promise<void> = q;", [/says Promise/]],
    ["src/money/a.ts", "const now = new Date();", [/says new Date/]],
    ["src/charge/a.ts", "const now = Date.now();", [/says Date\.now/]],
    ["src/invoice/a.ts", "const id = randomUUID();", [/says randomUUID/]],
    ["src/pricing/a.ts", "const home = process.env;", [/says process\./]],
    ["src/book/a.ts", "const chance = Math.random();", [/says Math\.random/]],
    [
      "src/errors.ts",
      'import { x } from "node:assert";',
      [/imports node:assert: errors\.ts is pure/],
    ],
    ["src/grant/a.ts", "// It never awaits: no async, no Promise, no new Date().", []],
    ["src/grant/a.ts", 'throw refuse("await", "a Promise of " + processing.toString());', []],
    ["src/money/a.ts", 'import { Decimal } from "decimal.js";', []],
    ["src/pipeline/a.ts", "export async function f() {\n  await Promise.all([]);\n}", []],
    // What no file may be or contain.
    ["src/rpc/utils.ts", "", [/is named utils\.ts/]],
    ["src/rpc/helpers/a.ts", "", [/is named helpers/]],
    ["src/ledger/index.ts", "", [/is named index\.ts/]],
    ["test/types.ts", "", [/is named types\.ts/]],
    ["src/rpc/typed.ts", "", []],
    ["src/rpc/a.ts", "export default 1;", [/exports a default/]],
    ["src/rpc/a.ts", "\n\nexport const enum Color { RED }", [/a\.ts:3 declares an enum/]],
    ["src/rpc/a.ts", "namespace A {}", [/declares a namespace/]],
    ["src/rpc/a.ts", 'const why = "an enum Color";\nconst enumerate = 1;', []],
    ["src/rpc/a.ts", "// @ts-ignore\nf();", [/:1 silences a check/]],
    ["test/a.test.ts", "/* TODO: finish */", [/is unfinished/]],
    ["src/rpc/a.ts", 'const text = "TODO";', []],
    // How long anything may be.
    ["src/rpc/a.ts", "\n".repeat(LINES_MAX - 1), []],
    ["src/rpc/a.ts", "a;\n".repeat(LINES_MAX), []],
    ["src/rpc/a.ts", "a;\n".repeat(LINES_MAX + 1), [/a\.ts:401 has 401 lines/]],
    ["src/rpc/a.ts", `a;\n${longLine}`, [/a\.ts:2 is longer than 100 characters/]],
    ["src/rpc/a.ts", `// ${"long ".repeat(20)}.`, [/is longer than 100/]],
    ["src/rpc/a.ts", `const text = "${"long ".repeat(30)}";`, []],
  ])("%s: %j", (path, source, problems) => {
    const found = findUntidy([{ path, source }]);

    expect(found).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });

  test("files that need each other are found, files that share types are not", () => {
    const circle = (line: string) => [
      { path: "src/grant/a.ts", source: 'import { b } from "../charge/b.ts";' },
      { path: "src/charge/b.ts", source: 'import { c } from "../invoice/c.ts";' },
      { path: "src/invoice/c.ts", source: line },
    ];

    expect(findUntidy(circle('import { a } from "../grant/a.ts";'))).toEqual([
      "src/grant/a.ts:1 imports itself: " +
        "src/grant/a.ts → src/charge/b.ts → src/invoice/c.ts → src/grant/a.ts",
    ]);
    expect(findUntidy(circle('import type { A } from "../grant/a.ts";'))).toEqual([]);
    expect(findUntidy(circle('import { type A } from "../grant/a.ts";'))).toEqual([]);
  });

  test("every folder stands in one row", () => {
    const folders = LAYERS.flat();

    expect(new Set(folders).size).toBe(folders.length);
  });
});

describe("taking a source apart", () => {
  // An @ stands for $: as it is, it would look like a template that was forgotten.
  test.each<[source: string, code: string]>([
    ['a("b") // c', 'a(" ")     '],
    ["a /* b\n c */ d", "a     \n      d"],
    ["`a@{b}c@{d}e`", "` @{b} @{d} `"],
    ["`a@{`b@{c}`}d` + e", "` @{` @{c}`} ` + e"],
    ["`a@{{ b: 1 }}c`", "` @{{ b: 1 }} `"],
    ['x = /"/; y = "z"', 'x = /"/; y = " "'],
    ["x = a / b; // c", "x = a / b;     "],
    ["f(/[/'\"]/, 'b')", "f(/[/'\"]/, ' ')"],
    ['"a\\"b" + c', '"    " + c'],
    ["'// no comment' + a", "'             ' + a"],
    ["`$5 \\@{a}`", "`        `"],
  ])("%j leaves the code %j", (source, code) => {
    const written = (text: string) => text.replaceAll("@", "$");
    expect(readSource(written(source)).code).toBe(written(code));
  });

  test("imports are found in every form, and nowhere else", () => {
    const source = `
      import pg from "pg";
      import { a, type B } from "./a.ts";
      import type { C } from "./c.ts";
      import { type D, type E } from "./d.ts";
      import "./effects.ts";
      export { f } from "./f.ts";
      export type { G } from "./g.ts";
      const h = await import("./h.ts");
      // import { i } from "./i.ts";
      const text = 'import { j } from "./j.ts"';
      export const important = "no import";
    `;

    expect(
      listImports(readSource(source)).map(({ specifier, isTypeOnly }) => [specifier, isTypeOnly]),
    ).toEqual([
      ["pg", false],
      ["./a.ts", false],
      ["./c.ts", true],
      ["./d.ts", true],
      ["./effects.ts", false],
      ["./f.ts", false],
      ["./g.ts", true],
      ["./h.ts", false],
    ]);
  });
});
