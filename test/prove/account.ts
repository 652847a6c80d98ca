/**
 * Owns one customer as the clients know it: what was acknowledged and can be acted on. It is what
 * random operations are aimed at, not what answers are checked against.
 */
import type { Message } from "@bufbuild/protobuf";
import { ChargeStatus } from "../../gen/drawdown/v1/charge_pb.ts";
import type { CreateChargeResponse } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { FundingMethod } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { CreateCreditGrantResponse } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";

/** So many of each are remembered: the older ones have had their turn. */
const REMEMBERED_MAX = 24;

export interface Account {
  readonly id: string;
  readonly grantIds: string[];
  readonly externalGrantIds: string[];
  readonly openChargeIds: string[];
  readonly settledChargeIds: string[];
  readonly invoiceIds: string[];
}

export function newAccount(id: string): Account {
  return {
    id,
    grantIds: [],
    externalGrantIds: [],
    openChargeIds: [],
    settledChargeIds: [],
    invoiceIds: [],
  };
}

function remember(list: string[], id: string): void {
  if (id === "" || list.includes(id)) return;
  list.push(id);
  if (list.length > REMEMBERED_MAX) list.shift();
}

function forget(list: string[], id: string): void {
  const at = list.indexOf(id);
  if (at >= 0) list.splice(at, 1);
}

/** Takes note of an acknowledged answer. */
export function takeNote(account: Account, answer: Message): void {
  switch (answer.$typeName) {
    case "drawdown.v1.CreateCreditGrantResponse": {
      const { creditGrant, invoice } = answer as CreateCreditGrantResponse;
      remember(account.grantIds, creditGrant?.id ?? "");
      remember(account.invoiceIds, invoice?.id ?? "");
      const isExternal = creditGrant?.fundingMethod === FundingMethod.EXTERNAL;
      if (isExternal) remember(account.externalGrantIds, creditGrant.id);
      return;
    }
    case "drawdown.v1.CreateChargeResponse":
    case "drawdown.v1.SettleChargeResponse":
    case "drawdown.v1.CancelChargeResponse": {
      const { charge } = answer as CreateChargeResponse;
      if (charge === undefined) return;
      if (charge.status === ChargeStatus.OPEN) remember(account.openChargeIds, charge.id);
      else forget(account.openChargeIds, charge.id);
      if (charge.status === ChargeStatus.SETTLED) remember(account.settledChargeIds, charge.id);
      remember(account.invoiceIds, charge.invoiceId);
      return;
    }
  }
}
