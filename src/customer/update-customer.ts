/** Owns changing what the tenant says of a customer. */
import type { Book } from "../book/book.ts";
import type { CustomerProfile, Metadata } from "../book/nouns.ts";

export interface UpdateCustomer {
  /** Null leaves it as it is. */
  readonly name: string | null;
  /** Replaces all of it; null leaves it as it is. */
  readonly metadata: Metadata | null;
}

export function updateCustomer(book: Book, command: UpdateCustomer): CustomerProfile {
  const profile = book.getProfile();
  const { name, metadata } = command;

  if (name !== null) profile.name = name;
  if (metadata !== null) profile.metadata = metadata;
  if (name !== null || metadata !== null) book.profileChanged = true;
  return profile;
}
