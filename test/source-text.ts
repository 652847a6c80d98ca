/**
 * Owns taking a TypeScript source apart for test/tidy.ts: code, the contents of strings, and
 * comments, each in a text as long as the source, so that a place in one is that place in all.
 */

export interface SourceText {
  /** The source with comments and the contents of strings blanked; quotes stay. */
  readonly code: string;
  /** The contents of strings and templates, all else blanked. */
  readonly strings: string;
  /** The comments, all else blanked. */
  readonly comments: string;
}

export interface Import {
  readonly specifier: string;
  /** Where in the source the specifier stands. */
  readonly at: number;
  /** Whether it vanishes when types are erased. */
  readonly isTypeOnly: boolean;
}

type Kind = "code" | "strings" | "comments";

/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_EXPRESSION = /(?:^|[([{,;=:!&|?+\-*%~<>]|\b(?:return|typeof|case|of|in))\s*$/;

/**
 * What begins at a place of code and is not code: the pattern matches all of it. The contents of
 * a regular expression count as code: nothing looks for anything that could be in one.
 */
const LITERALS: readonly (readonly [kind: Kind, pattern: RegExp])[] = [
  ["comments", /\/\/[^\n]*/y],
  ["comments", /\/\*[\s\S]*?\*\//y],
  ["strings", /"(?:[^"\\\n]|\\[\s\S])*"/y],
  ["strings", /'(?:[^'\\\n]|\\[\s\S])*'/y],
];
const LITERAL_BEGINS = "/\"'";
const REGULAR_EXPRESSION = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

/** Takes a source apart. */
export function readSource(source: string): SourceText {
  const kinds: Kind[] = new Array(source.length).fill("code");
  /** For each template that is open here: how many braces are open in its `${`. */
  const bracesOpen: number[] = [];
  const mark = (from: number, to: number, kind: Kind) => kinds.fill(kind, from, to);
  const matchAt = (pattern: RegExp, at: number): number => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0].length ?? 0;
  };
  /** Marks template text, and answers where code goes on: in a `${`, or after the last quote. */
  const passTemplateText = (from: number): number => {
    const to = from + matchAt(TEMPLATE_TEXT, from);
    mark(from, to, "strings");
    if (source[to] !== "$") return to + 1;
    bracesOpen.push(0);
    return to + 2;
  };

  for (let at = 0; at < source.length; ) {
    const mayBegin = LITERAL_BEGINS.includes(source[at] ?? "");
    const literal = mayBegin && LITERALS.find(([, pattern]) => matchAt(pattern, at) > 0);
    if (literal) {
      const [kind, pattern] = literal;
      const to = at + matchAt(pattern, at);
      mark(kind === "strings" ? at + 1 : at, kind === "strings" ? to - 1 : to, kind);
      at = to;
    } else if (
      source[at] === "/" &&
      BEFORE_EXPRESSION.test(source.slice(Math.max(0, at - 40), at))
    ) {
      at += matchAt(REGULAR_EXPRESSION, at) || 1;
    } else if (source[at] === "`") {
      at = passTemplateText(at + 1);
    } else if (source[at] === "}" && bracesOpen.at(-1) === 0) {
      bracesOpen.pop();
      at = passTemplateText(at + 1);
    } else {
      const open = bracesOpen.pop();
      if (open !== undefined) {
        bracesOpen.push(open + (source[at] === "{" ? 1 : source[at] === "}" ? -1 : 0));
      }
      at += 1;
    }
  }

  const only = (wanted: Kind): string =>
    Array.from(kinds, (kind, at) =>
      kind === wanted || source[at] === "\n" ? source[at] : " ",
    ).join("");
  return { code: only("code"), strings: only("strings"), comments: only("comments") };
}

const IMPORTS = /\b(import|export)\b([^;"'`]*?)\bfrom\s*["']|\bimport\s*\(?\s*["'`]/g;

/** Lists the imports of a source, re-exports and dynamic ones too. */
export function listImports({ code, strings }: SourceText): Import[] {
  return Array.from(code.matchAll(IMPORTS), (match) => {
    const at = match.index + match[0].length;
    const quote = code.slice(at - 1, at);
    return {
      specifier: strings.slice(at, code.indexOf(quote, at)),
      at,
      isTypeOnly: match[2] !== undefined && isTypeOnly(match[2].trim()),
    };
  });
}

function isTypeOnly(clause: string): boolean {
  if (/^type\b/.test(clause)) return true;
  const names = /^\{(.*)\}$/s.exec(clause)?.[1]?.split(",") ?? [];
  const named = names.map((name) => name.trim()).filter((name) => name !== "");
  return named.length > 0 && named.every((name) => name.startsWith("type "));
}

/** The number of the line, from 1, that a place stands on. */
export const lineAt = (text: string, at: number): number => text.slice(0, at).split("\n").length;
