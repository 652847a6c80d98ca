/** Owns the variables that say which JSON Web Tokens are accepted. */
import type { Setting } from "./config.ts";
import {
  type KeySetSource,
  parseAlgorithms,
  parseKeySet,
  parseText,
  wholeNumber,
} from "./config-values.ts";

/** Which JSON Web Tokens are accepted, and which of their claims say whose call it is. */
export interface WebTokenConfig {
  /** Undefined, with the two below, where callers present API keys only. */
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  /** Where the issuer's public keys are. */
  readonly jwtKeySet: KeySetSource | undefined;
  readonly jwtAlgorithms: readonly string[];
  /** By how much this service's clock and the issuer's may differ. */
  readonly jwtClockToleranceS: number;
  readonly jwtTenantClaim: string;
  readonly jwtRoleClaim: string;
  readonly jwtCustomerClaim: string;
}

export const WEB_TOKEN_SETTINGS: {
  readonly [Name in keyof WebTokenConfig]: Setting<WebTokenConfig[Name]>;
} = {
  jwtIssuer: {
    variable: "DRAWDOWN_JWT_ISSUER",
    parse: parseText,
    otherwise: undefined,
    meaning: "whose JSON Web Tokens are accepted beside API keys; without it nobody's",
  },
  jwtAudience: {
    variable: "DRAWDOWN_JWT_AUDIENCE",
    parse: parseText,
    otherwise: undefined,
    meaning: "for whom the tokens must have been made",
  },
  jwtKeySet: {
    variable: "DRAWDOWN_JWT_JWKS",
    parse: parseKeySet,
    otherwise: undefined,
    meaning: "the issuer's public keys: an https URL or a file",
  },
  jwtAlgorithms: {
    variable: "DRAWDOWN_JWT_ALGORITHMS",
    parse: parseAlgorithms,
    otherwise: ["RS256", "ES256"],
    meaning: "the signatures that tokens may have, with commas between them",
  },
  jwtClockToleranceS: {
    variable: "DRAWDOWN_JWT_CLOCK_TOLERANCE_S",
    parse: wholeNumber(0, 300),
    otherwise: 5,
    meaning: "the seconds by which the issuer's clock may differ",
  },
  jwtTenantClaim: {
    variable: "DRAWDOWN_JWT_TENANT_CLAIM",
    parse: String,
    otherwise: "tenant_id",
    meaning: "the claim that says the tenant's id",
  },
  jwtRoleClaim: {
    variable: "DRAWDOWN_JWT_ROLE_CLAIM",
    parse: String,
    otherwise: "role",
    meaning: "the claim that says the role: admin, writer, charger or reader",
  },
  jwtCustomerClaim: {
    variable: "DRAWDOWN_JWT_CUSTOMER_CLAIM",
    parse: String,
    otherwise: "customer_id",
    meaning: "the claim that binds a token to a customer by the customer's id",
  },
};
