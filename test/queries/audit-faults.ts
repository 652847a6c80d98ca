/** Owns the faults that are planted in right books, each with the check that must see it. */
import type { Check } from "../../src/queries/audit/finding.ts";

/** What is done to the rows of a customer, whose id is $1, and the check that must see it. */
export const FAULTS: readonly (readonly [check: Check, what: string, statement: string])[] = [
  [
    "sequence_gap",
    "a transfer is gone",
    "DELETE FROM transfer WHERE customer_id = $1 AND sequence = 4",
  ],
  [
    "booked_at_order",
    "a transfer is dated back",
    `UPDATE transfer SET booked_at = booked_at - interval '1 day'
      WHERE customer_id = $1 AND sequence = 4`,
  ],
  [
    "illegal_flow",
    "a transfer bears another event",
    "UPDATE transfer SET event = 'RELEASED' WHERE customer_id = $1 AND sequence = 1",
  ],
  [
    "account_sign",
    "more is consumed than was there",
    `UPDATE transfer SET amount = 9000
      WHERE customer_id = $1 AND event = 'CONSUMED' AND currency = 'EUR'`,
  ],
  ...(
    [
      ["settled_after", "settled_after + 1", "sequence = 1"],
      ["pending_after", "pending_after - 1", "sequence = 1"],
      ["grant_remaining_after", "grant_remaining_after + 1", "sequence = 1"],
      ["grant_held_after", "grant_held_after - 0.5", "event = 'HELD'"],
    ] as const
  ).map(([column, value, rows]): [Check, string, string] => [
    column,
    "a transfer carries another figure",
    `UPDATE transfer SET ${column} = ${value} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "grant_currency",
    "a transfer is in another currency than its grant",
    "UPDATE transfer SET currency = 'EUR' WHERE customer_id = $1 AND sequence = 1",
  ],
  [
    "hold_missing",
    "what was held for one charge is released for another",
    `UPDATE transfer SET charge_id = '01900000-0000-7000-8000-00000000beef'
      WHERE customer_id = $1 AND event = 'RELEASED'`,
  ],
  ...(
    [
      ["head_sequence", "sequence = sequence - 1"],
      ["head_last_booked_at", "last_booked_at = last_booked_at - interval '1 second'"],
      ["head_next_due_at", "next_due_at = NULL"],
      ["head_next_due_at", "next_due_at = next_due_at + interval '1 second'"],
      ["head_object_count", "object_count = 3"],
      ["head_invoice_count", "invoice_count = invoice_count + 1"],
    ] as const
  ).map(([check, set]): [Check, string, string] => [
    check,
    `the head has ${set}`,
    `UPDATE customer_head SET ${set} WHERE customer_id = $1`,
  ]),
  ...(
    [
      ["customer_balance", "credit = credit - 0.000000000001"],
      ["customer_held", "held = held - 1"],
      ["customer_issued", "issued = issued + 1"],
    ] as const
  ).map(([check, set]): [Check, string, string] => [
    check,
    "a kept balance is another",
    `UPDATE balance SET ${set} WHERE customer_id = $1 AND held > 0`,
  ]),
  [
    "customer_issued",
    "a kept balance is gone",
    "DELETE FROM balance WHERE customer_id = $1 AND currency = 'EUR'",
  ],
  ...(
    [
      ["grant_remaining", "remaining = remaining + 0.5", "held > 0"],
      ["grant_held", "held = held - 1", "held > 0"],
      ["grant_accrued", "accrued = accrued + 1", "number = 1"],
      ["grant_adjusted_unpaid", "adjusted_unpaid = adjusted_unpaid + 1", "number = 1"],
      ["grant_first_sequence", "first_sequence = first_sequence + 1", "number = 1"],
      ["grant_funded", "amount = amount + 1", "number = 1"],
      ["grant_status", "status = 'ACTIVE'", "status = 'EXHAUSTED'"],
      ["grant_status", "status = 'EXHAUSTED'", "status = 'PENDING'"],
      ["grant_status", "status = 'PENDING'", "status = 'EXHAUSTED'"],
      ["grant_status", "status = 'EXPIRED'", "status = 'VOIDED'"],
      ["grant_status", "status = 'EXHAUSTED'", "status = 'VOIDED'"],
      ["grant_status", "status = 'EXPIRED', expires_at = '8999-01-01'", "status = 'EXHAUSTED'"],
      ["grant_settlement", "settlement_status = 'AUTHORIZED'", "settlement_status = 'PENDING'"],
      ["grant_settlement", "settlement_status = 'PENDING'", "settlement_status = 'SETTLED'"],
      ["grant_settlement", "settlement_status = 'SETTLED'", "settlement_status = 'PENDING'"],
    ] as const
  ).map(([check, set, rows]): [Check, string, string] => [
    check,
    `a grant with ${rows} gets ${set}`,
    `UPDATE credit_grant SET ${set} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "grant_missing",
    "a grant is gone",
    "DELETE FROM credit_grant WHERE customer_id = $1 AND number = 1",
  ],
  ...(
    [
      ["charge_holds", "draw_amounts = ARRAY[10.5]", "status = 'OPEN'"],
      ["charge_amount", "amount = amount + 1", "status = 'SETTLED'"],
      ["charge_amount", "settled_at = NULL", "status = 'SETTLED'"],
      ["charge_amount", "invoiced_amount = 1", "status = 'OPEN'"],
      ["charge_amount", "canceled_at = NULL", "status = 'CANCELED'"],
      ["charge_draws", "first_consumed_sequence = 1", "capture = 'AUTOMATIC'"],
      ["charge_draws", "draw_amounts = ARRAY[19], amount = 19", "amount = 20"],
      [
        "charge_draws",
        `draw_amounts = ARRAY[draw_amounts[2], draw_amounts[1]],
          draw_credit_grant_ids = ARRAY[draw_credit_grant_ids[2], draw_credit_grant_ids[1]]`,
        "currency = 'EUR'",
      ],
      ["charge_returns", "draw_returned = ARRAY[4]", "amount = 30"],
      ["charge_returns", "draw_returned = ARRAY[1]", "amount = 20"],
    ] as const
  ).map(([check, set, rows]): [Check, string, string] => [
    check,
    `a charge with ${rows} gets ${set}`,
    `UPDATE charge SET ${set} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "charge_holds",
    "an open charge is gone",
    "DELETE FROM charge WHERE customer_id = $1 AND status = 'OPEN'",
  ],
  ["charge_draws", "a charge is gone", "DELETE FROM charge WHERE customer_id = $1 AND amount = 20"],
  [
    "charge_returns",
    "a charge that was corrected is gone",
    "DELETE FROM charge WHERE customer_id = $1 AND amount = 30",
  ],
  ...(["subtotal = subtotal + 1", "line_count = 5", "credit_line_count = 1"] as const).map(
    (set): [Check, string, string] => [
      "invoice_lines",
      `a draft gets ${set}`,
      `UPDATE invoice SET ${set} WHERE customer_id = $1 AND kind = 'OVERAGE'`,
    ],
  ),
  ...(
    [
      ["charge_line", "UPDATE invoice_line SET amount = amount + 1", "charge_id IS NOT NULL"],
      ["charge_moments", "UPDATE transfer SET currency = 'EUR'", "event = 'HELD' AND amount = 12"],
      [
        "created_at",
        "UPDATE transfer SET created_at = created_at - interval '1 s'",
        "event = 'HELD'",
      ],
      ["customer_key", "DELETE FROM customer_key", "true"],
      ["grant_terms", "UPDATE credit_grant SET per_unit_cost = 3", "funding_method = 'INVOICE'"],
      [
        "grant_terms",
        "UPDATE credit_grant SET purchase_currency = 'XYZ'",
        "invoice_id IS NOT NULL",
      ],
      ["grant_terms", "UPDATE credit_grant SET invoice_id = NULL", "invoice_id IS NOT NULL"],
      ["grant_terms", "UPDATE credit_grant SET availability = NULL", "invoice_id IS NOT NULL"],
      ["grant_times", "UPDATE credit_grant SET due_at = NULL", "due_at IS NOT NULL"],
      ["grant_times", "UPDATE credit_grant SET voided_at = created_at", "status = 'VOIDED'"],
      ["invoice_numbers", "UPDATE invoice SET issue_number = 2", "issue_number = 1"],
      [
        "invoice_state",
        "UPDATE invoice SET status = 'PAID', paid_at = issued_at",
        "issue_number = 1",
      ],
      [
        "invoice_state",
        "UPDATE invoice SET created_at = created_at - interval '1 s'",
        "kind = 'OVERAGE'",
      ],
      [
        "movement_note",
        "DELETE FROM movement_note",
        "sequence = (SELECT min(sequence) FROM movement_note)",
      ],
      ["object_numbers", "UPDATE invoice SET number = number + 1", "kind = 'PURCHASE'"],
      ["payment_amount", "UPDATE transfer SET amount = 29", "event = 'PAYMENT_SETTLED'"],
      [
        "request_missing",
        "DELETE FROM request",
        "created_at = (SELECT max(created_at) FROM credit_grant)",
      ],
      [
        "request_missing",
        "DELETE FROM request",
        "created_at IN (SELECT settled_at FROM charge WHERE capture = 'MANUAL')",
      ],
      [
        "request_doubled",
        "UPDATE request SET request_id = (SELECT max(c.request_id) FROM charge c WHERE c.customer_id = $1)",
        "created_at = (SELECT max(created_at) FROM credit_grant)",
      ],
      [
        "transfer_account",
        "UPDATE transfer SET credit_account = 'accrued'",
        "event = 'CONSUMED' AND currency = 'EUR' AND amount = 50",
      ],
      ["transfer_charge", "UPDATE transfer SET charge_id = customer_id", "event = 'VOIDED'"],
    ] as const
  ).map(([check, statement, rows]): [Check, string, string] => [
    check,
    `${statement} where ${rows}`,
    `${statement} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "invoice_line",
    "an invoice is gone",
    "DELETE FROM invoice WHERE customer_id = $1 AND kind = 'OVERAGE'",
  ],
];
