/**
 * Owns a small part of CEL, compiled to JavaScript: the conditions between fields that the
 * contract declares, such as `has(this.amount) != has(this.rate_card_key)`, and what its own rules
 * say of a string. What lies outside of that part is not compiled at all.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** A message of which only the descriptor knows the fields. */
export type Fields = Readonly<Record<string, unknown>>;

type Compute<Subject> = (subject: Subject) => boolean | number;

/** What a name stands for, with its argument if it has one; undefined when that is not known. */
type Names<Subject> = (name: string, argument: string | undefined) => Compute<Subject> | undefined;

/** Compiles a condition between fields of a message; undefined when it says more than is known. */
export function compileCondition(
  schema: DescMessage,
  expression: string,
): ((message: Fields) => boolean) | undefined {
  const fieldOf = (path: string) => schema.fields.find(({ name }) => `this.${name}` === path);
  return compile<Fields>(expression, (name, argument) => {
    if (name === "has" && argument !== undefined) {
      const field = fieldOf(argument);
      return field && compileHas(field);
    }
    const field = fieldOf(name);
    if (argument !== undefined || field?.fieldKind !== "enum" || field.oneof) return undefined;
    const { localName } = field;
    return (message) => message[localName] as number;
  });
}

/** Compiles a rule about one string, with `rule` standing for true. */
export function compileStringRule(expression: string): ((text: string) => boolean) | undefined {
  return compile<string>(expression, (name, argument) => {
    if (name === "rule" && argument === undefined) return () => true;
    const [, text] = LITERAL.exec(argument ?? "") ?? [];
    if (name !== "this.matches" || text === undefined) return undefined;
    const pattern = compilePattern(text);
    return pattern && ((subject) => pattern.test(subject));
  });
}

/** What JavaScript and RE2 might read differently: flags, classes by name, other escapes. */
const NOT_COMMON = /\(\?|\[:|\\(?!x[0-9a-fA-F]{2})|[*+?}][+?]/;

/** Compiles a pattern that RE2 reads in the same way; undefined for any other. */
function compilePattern(pattern: string): RegExp | undefined {
  return NOT_COMMON.test(pattern) ? undefined : new RegExp(pattern, "u");
}

function compileHas(field: DescField): Compute<Fields> | undefined {
  const name = field.localName;
  if (field.oneof || field.fieldKind === "list" || field.fieldKind === "map") return undefined;
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return (message) => message[name] !== undefined;
  }
  return (message) => !isZero(message[name]);
}

/** A scalar or an enum that is not tracked is set exactly when it is not zero. */
export function isZero(value: unknown): boolean {
  return value === "" || value === 0 || value === false || value === 0n;
}

/** A string without escapes, or a raw one, in which a backslash is a character like any other. */
const STRING = /'[^'\\]*'|r'[^']*'/;
const LITERAL = /^r?'(.*)'$/;
const TOKEN = new RegExp(
  String.raw`\s*(&&|\|\||[!=]=|[!()]|${STRING.source}|\d+|[A-Za-z_][\w.]*)\s*`,
  "y",
);

/** Thrown and caught in this module: the expression says what is not known here. */
class NotKnown extends Error {}

function compile<Subject>(
  expression: string,
  names: Names<Subject>,
): ((subject: Subject) => boolean) | undefined {
  try {
    const compute = new Parser(expression, names).parse();
    return (subject) => compute(subject) === true;
  } catch (error) {
    if (error instanceof NotKnown) return undefined;
    throw error;
  }
}

/** Reads `||` over `&&` over `==` and `!=` over `!` over names, numbers and parentheses. */
class Parser<Subject> {
  readonly #tokens: readonly string[];
  readonly #names: Names<Subject>;
  #next = 0;

  constructor(expression: string, names: Names<Subject>) {
    this.#tokens = tokensOf(expression);
    this.#names = names;
  }

  parse(): Compute<Subject> {
    const compute = this.#either();
    if (this.#next < this.#tokens.length) throw new NotKnown();
    return compute;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false;
    this.#next += 1;
    return true;
  }

  #either(): Compute<Subject> {
    let left = this.#both();
    while (this.#take("||")) {
      const [first, second] = [left, this.#both()];
      left = (subject) => first(subject) === true || second(subject) === true;
    }
    return left;
  }

  #both(): Compute<Subject> {
    let left = this.#comparison();
    while (this.#take("&&")) {
      const [first, second] = [left, this.#comparison()];
      left = (subject) => first(subject) === true && second(subject) === true;
    }
    return left;
  }

  #comparison(): Compute<Subject> {
    const left = this.#single();
    if (this.#take("==")) {
      const right = this.#single();
      return (subject) => left(subject) === right(subject);
    }
    if (this.#take("!=")) {
      const right = this.#single();
      return (subject) => left(subject) !== right(subject);
    }
    return left;
  }

  #single(): Compute<Subject> {
    if (this.#take("!")) {
      const single = this.#single();
      return (subject) => single(subject) !== true;
    }
    if (this.#take("(")) {
      const inner = this.#either();
      if (!this.#take(")")) throw new NotKnown();
      return inner;
    }
    const token = this.#tokens[this.#next];
    if (token === undefined || !/^\w/.test(token)) throw new NotKnown();
    this.#next += 1;
    if (/^\d/.test(token)) return () => Number(token);
    const compute = this.#names(token, this.#argument());
    if (compute === undefined) throw new NotKnown();
    return compute;
  }

  #argument(): string | undefined {
    if (!this.#take("(")) return undefined;
    const argument = this.#tokens[this.#next];
    this.#next += 1;
    if (!this.#take(")")) throw new NotKnown();
    return argument;
  }
}

function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const [, token] = TOKEN.exec(expression) ?? [];
    if (token === undefined) throw new NotKnown();
    tokens.push(token);
  }
  return tokens;
}
