/**
 * Owns callers who present a JSON Web Token of the operator's own identity provider: signed by a
 * key that the provider publishes, with an algorithm that was chosen beforehand, for this service.
 * Its claims say the tenant, the role and the customer. What was verified is kept for a minute at
 * most and never beyond its end; streams end with it.
 */
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { refuse } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { ROLES } from "../registry/api-key.ts";
import type { Recognize } from "./authentication.ts";
import { Credential, notValid, type Principal } from "./credential.ts";
import { type Known, KnownCredentials } from "./known-credentials.ts";

const BELIEVED_MS_MAX = 60_000;
/** Three parts, of which only the last may be empty to be turned away as unsigned. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Nobody's business but the caller's; anything else is trouble with the provider's keys. */
const FAULTS_OF_TOKENS = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSMultipleMatchingKeys,
  errors.JWKSNoMatchingKey,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
] as const;

export interface WebTokenRules {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** By how much this service's clock and the provider's may differ. */
  readonly clockToleranceS: number;
  readonly tenantClaim: string;
  readonly roleClaim: string;
  readonly customerClaim: string;
}

export interface WebTokenParts {
  readonly rules: WebTokenRules;
  readonly keySet: JWTVerifyGetKey;
  readonly tenantExists: (tenantId: TenantId) => Promise<boolean>;
  /** Told when the provider's keys could not be had. */
  readonly report: (error: unknown) => void;
}

interface KnownToken extends Known {
  readonly endsAtMs: number;
}

export class WebTokens {
  readonly #parts: WebTokenParts;
  readonly #known: KnownCredentials<KnownToken>;

  constructor(parts: WebTokenParts) {
    this.#parts = parts;
    this.#known = new KnownCredentials(async () => this.#check(), parts.report);
  }

  /** Passes on what has not the form of a token. */
  readonly recognize: Recognize = ({ secret, digest }) => {
    const known = this.#known.findBelieved(digest);
    if (known !== undefined) return known.credential;
    return TOKEN.test(secret) ? this.#verify(secret, digest) : undefined;
  };

  close(): void {
    this.#known.close();
  }

  async #verify(token: string, digest: string): Promise<Credential> {
    const { rules, tenantExists } = this.#parts;
    const payload = await this.#read(token);
    const principal = principalOf(payload, rules);
    const nowMs = performance.now();
    const leftMs = leftMsOf(payload, rules);
    const isKnown = principal !== undefined && (await tenantExists(principal.tenantId));
    if (!isKnown) throw notValid();
    const endsAtMs = nowMs + leftMs;
    const make = () => {
      const subject = payload.sub ?? `token ${Buffer.from(digest, "latin1").toString("hex")}`;
      const credential = new Credential(`${subject} of ${rules.issuer}`, principal);
      return { credential, endsAtMs, believedUntilMs: 0 };
    };
    const known = this.#known.getOrAdd(digest, make);
    known.believedUntilMs = nowMs + Math.min(leftMs, BELIEVED_MS_MAX);
    return known.credential;
  }

  async #read(token: string): Promise<JWTPayload> {
    const { rules, keySet, report } = this.#parts;
    try {
      const { payload } = await jwtVerify(token, keySet, {
        issuer: rules.issuer,
        audience: rules.audience,
        algorithms: [...rules.algorithms],
        clockTolerance: rules.clockToleranceS,
        requiredClaims: ["exp"],
      });
      return payload;
    } catch (error) {
      if (FAULTS_OF_TOKENS.some((type) => error instanceof type)) throw notValid();
      report(error);
      const message =
        "The token cannot be checked: its issuer's keys cannot be had. Try again soon.";
      throw refuse("IDENTITY_PROVIDER_UNAVAILABLE", message);
    }
  }

  #check(): void {
    const nowMs = performance.now();
    for (const [digest, { credential, endsAtMs, believedUntilMs }] of this.#known.entries()) {
      if (nowMs < endsAtMs && (credential.hasStreams || nowMs < believedUntilMs)) continue;
      this.#known.forget(digest);
      if (nowMs >= endsAtMs) credential.end();
    }
  }
}

/** How long the token is still good; it was found to be good a moment ago. */
function leftMsOf({ exp = 0 }: JWTPayload, { clockToleranceS }: WebTokenRules): number {
  return Math.max(0, (exp + clockToleranceS) * 1_000 - Date.now());
}

/** Undefined when the claims do not say a tenant, a role, and at most a customer. */
function principalOf(payload: JWTPayload, rules: WebTokenRules): Principal | undefined {
  const tenantId = idOf<TenantId>(payload[rules.tenantClaim]);
  const role = ROLES.find((each) => each.toLowerCase() === payload[rules.roleClaim]);
  const claimed = payload[rules.customerClaim];
  const customerId = claimed === undefined ? null : idOf<CustomerId>(claimed);
  if (tenantId === undefined || role === undefined || customerId === undefined) return undefined;
  // An administrator is about all tenants, as with API keys.
  if (role === "ADMIN" && customerId !== null) return undefined;
  return { tenantId, role, customerId };
}

function idOf<Id extends string>(claimed: unknown): Id | undefined {
  return typeof claimed === "string" && UUID.test(claimed)
    ? (claimed.toLowerCase() as Id)
    : undefined;
}
