/** Owns the list of the entities: one per table of the schema. */
import { apiKeys } from "./api-key.ts";
import { charges } from "./charge.ts";
import { creditGrants } from "./credit-grant.ts";
import { balances, customerHeads, customerKeys, customers, requests } from "./customer.ts";
import { invoiceLines, invoices } from "./invoice.ts";
import { currencies, rateCards, tenantRequests, tenants } from "./tenant.ts";
import { movementNotes, transfers } from "./transfer.ts";

export const entities = [
  tenants,
  customers,
  customerKeys,
  customerHeads,
  balances,
  currencies,
  rateCards,
  creditGrants,
  charges,
  invoices,
  invoiceLines,
  transfers,
  movementNotes,
  requests,
  tenantRequests,
  apiKeys,
] as const;
