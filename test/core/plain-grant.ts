/** Owns the terms of a grant that a test does not care about. */
import type { CreateCreditGrant } from "../../src/grant/create-credit-grant.ts";

/** Given for nothing, for ever and for everything; how much is the test's to say. */
export const PLAIN_GRANT: Omit<CreateCreditGrant, "amount"> = {
  name: "",
  description: "",
  fundingMethod: "PROMOTIONAL",
  currency: "USD",
  priority: 10,
  effectiveAt: null,
  expiresAt: null,
  expiresAfter: null,
  features: [],
  purchase: null,
  metadata: {},
};
