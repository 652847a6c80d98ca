/** Owns how what an audit says becomes messages of the contract. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  AuditFinding,
  AuditResponseSchema,
} from "../../../gen/drawdown/v1/ledger_service_pb.ts";
import type { AuditEvent } from "../../queries/audit/audit.ts";
import { CHECKS, type Finding } from "../../queries/audit/finding.ts";

export function toProtoAuditEvent(event: AuditEvent): MessageInitShape<typeof AuditResponseSchema> {
  switch (event.kind) {
    case "finding":
      return { event: { case: "finding", value: toProtoFinding(event.finding) } };
    case "progress":
      return { event: { case: "progress", value: countsOf(event) } };
    case "summary": {
      const value = { ...countsOf(event), findings: BigInt(event.findings) };
      return { event: { case: "summary", value } };
    }
  }
}

function countsOf({
  customers,
  transfers,
}: {
  readonly customers: number;
  readonly transfers: number;
}) {
  return { customers: BigInt(customers), transfers: BigInt(transfers) };
}

function toProtoFinding(finding: Finding): AuditFinding {
  const { check, expected, found } = finding;
  return {
    $typeName: "drawdown.v1.AuditFinding",
    customerId: finding.customerId,
    check,
    message: `It does not hold that ${CHECKS[check]}: expected ${expected}, found ${found}.`,
    expected,
    found,
    currency: finding.currency ?? "",
    creditGrantId: finding.grantId ?? "",
    chargeId: finding.chargeId ?? "",
    sequence: finding.sequence ?? 0n,
  };
}
