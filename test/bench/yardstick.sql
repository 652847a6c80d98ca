-- One settled charge drawn from one grant, as a careful programmer would write it by hand: every
-- row that the service writes for it, in one statement. :customer is the customer's number in the
-- benchmark. It runs in a transaction of its own, as the application's role, with the tenant set.
WITH head AS (
  UPDATE customer_head
  SET sequence = sequence + 1,
    object_count = object_count + 1,
    last_booked_at = greatest(last_booked_at, ledger_clock())
  WHERE customer_id
    = ('019a0000-0000-7000-8000-' || lpad(to_hex(:customer::integer), 12, '0'))::uuid
  RETURNING tenant_id, customer_id, sequence, object_count, last_booked_at
), drawn AS (
  UPDATE credit_grant g
  SET remaining = g.remaining - 0.01
  FROM head
  WHERE g.customer_id = head.customer_id AND g.currency = 'USD' AND g.open
    AND g.status = 'ACTIVE' AND g.remaining - g.held >= 0.01
  RETURNING g.credit_grant_id, g.remaining, g.held
), paid AS (
  UPDATE balance b
  SET credit = b.credit - 0.01
  FROM head
  WHERE b.customer_id = head.customer_id AND b.currency = 'USD'
  RETURNING b.credit, b.held
), charged AS (
  INSERT INTO charge (tenant_id, customer_id, charge_id, number, first_consumed_sequence,
    created_at, settled_at, status, settlement_mode, capture, currency, amount, estimated_amount,
    invoiced_amount, corrected_invoiced, draw_credit_grant_ids, draw_amounts, draw_returned,
    feature_key, request_id, fingerprint, description, metadata)
  SELECT tenant_id, customer_id, uuidv7(), object_count, sequence,
    last_booked_at, last_booked_at, 'SETTLED', 'CREDIT_ONLY', 'AUTOMATIC', 'USD', 0.01, 0.01,
    0, 0, ARRAY[credit_grant_id], ARRAY[0.01], ARRAY[0],
    'api-calls', gen_random_uuid()::text, '\x000102030405060708090a0b0c0d0e0f'::bytea, '', '{}'
  FROM head, drawn
  RETURNING charge_id
)
INSERT INTO transfer (tenant_id, customer_id, sequence, booked_at, created_at, event,
  debit_account, credit_account, credit_grant_id, charge_id, currency, amount, settled_after,
  pending_after, grant_remaining_after, grant_held_after)
SELECT tenant_id, customer_id, sequence, last_booked_at, last_booked_at, 'CONSUMED',
  'customer_credit', 'earnings', credit_grant_id, charge_id, 'USD', 0.01, credit + paid.held,
  credit, remaining, drawn.held
FROM head, drawn, paid, charged
