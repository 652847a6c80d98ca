/** Owns how enum values of the contract become the words of the domain, which are their names. */
import { assert } from "../../errors.ts";

type Word<Values> = Exclude<keyof Values, "UNSPECIFIED"> & string;

/**
 * The word of a value that validation has let through. `otherwise` is what UNSPECIFIED stands for;
 * where nothing is, validation has refused it.
 */
export function fromProtoEnum<Values extends Readonly<Record<string, number>>>(
  values: Values,
  value: number,
  otherwise?: Word<Values>,
): Word<Values> {
  if (value === 0 && otherwise !== undefined) return otherwise;
  for (const name of Object.keys(values) as Word<Values>[]) {
    if (values[name] === value && value !== 0) return name;
  }
  assert(false, `validation lets no enum value ${value} through`);
}
