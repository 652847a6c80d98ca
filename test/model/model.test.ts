/** Owns what the comparisons rest on: a model that answers everything, and calls that reach it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LEDGER_METHODS } from "../contract/descriptors.ts";
import { listImports, readSource } from "../source-text.ts";
import { BEGINNINGS, FIRST, LAST } from "./beginnings.ts";
import { RANDOM_COMMANDS } from "./commands.ts";
import { ANSWERS, Model } from "./model.ts";
import { expectOf, Run } from "./run.ts";
import { Sights } from "./sights.ts";
import type { Subject } from "./subject.ts";

/** The modules that the model is made of, itself first. */
function modelFiles(): readonly string[] {
  const files = ["model.ts"];
  for (const file of files) {
    const imports = listImports(readSource(readFileSync(join(import.meta.dirname, file), "utf8")));
    for (const { specifier } of imports) {
      const own = specifier.replace("./", "");
      if (specifier.startsWith("./") && !files.includes(own)) files.push(own);
    }
  }
  return files;
}

describe("the reference model", () => {
  test("answers every RPC of the contract", () => {
    expect(Object.keys(ANSWERS).sort()).toEqual(
      LEDGER_METHODS.map(({ localName }) => localName).sort(),
    );
  });

  test("shares nothing with the service but the contract", () => {
    const outside = modelFiles().flatMap((file) => {
      const source = readFileSync(join(import.meta.dirname, file), "utf8");
      return listImports(readSource(source)).map(({ specifier }) => specifier);
    });
    const isAllowed = /^(\.\/|\.\.\/\.\.\/gen\/|@bufbuild\/protobuf)/;

    expect(modelFiles()).toContain("books.ts");
    expect(outside.filter((specifier) => !isAllowed.test(specifier))).toEqual([]);
  });
});

/** The model itself in the place of the service. */
function twin(): Subject & { readonly sights: Sights } {
  const sights = new Sights();
  let [model, clock] = [new Model(), 0n];
  return {
    sights,
    async call(method, ask) {
      const outcome = expectOf(model, { method, ask }, clock);
      sights.note(method, outcome);
      return outcome;
    },
    async setClock(moment) {
      clock = moment;
    },
    async newTenant() {
      model = new Model();
    },
    async close() {},
  };
}

describe("random calls", () => {
  test("meet every RPC, reason, movement, account and status", { timeout: 60_000 }, async () => {
    const subject = twin();
    const property = fc.asyncProperty(BEGINNINGS, RANDOM_COMMANDS, async (start, commands) => {
      await subject.newTenant();
      const run = new Run(start);
      for (const command of [...FIRST, ...commands, ...LAST]) await run.play(command, subject);
    });
    await fc.assert(property, { numRuns: 50, seed: 1 });

    if (process.env["DRAWDOWN_MODEL_SIGHTS"] !== undefined) console.log(subject.sights.tell());
    expect(subject.sights.missing).toEqual([]);
  });
});
