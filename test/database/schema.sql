CREATE TYPE account AS ENUM ('customer_credit', 'customer_held', 'receivable_open', 'receivable_authorized', 'accrued', 'settlement', 'promotion', 'earnings', 'breakage');
CREATE TYPE availability AS ENUM ('ON_CREATION', 'ON_AUTHORIZATION', 'ON_SETTLEMENT');
CREATE TYPE capture AS ENUM ('AUTOMATIC', 'MANUAL');
CREATE TYPE charge_status AS ENUM ('OPEN', 'SETTLED', 'CANCELED');
CREATE TYPE credit_grant_status AS ENUM ('PENDING', 'ACTIVE', 'EXHAUSTED', 'EXPIRED', 'VOIDED');
CREATE TYPE funding_method AS ENUM ('PROMOTIONAL', 'INVOICE', 'EXTERNAL');
CREATE TYPE invoice_kind AS ENUM ('PURCHASE', 'OVERAGE');
CREATE TYPE invoice_status AS ENUM ('DRAFT', 'OPEN', 'AUTHORIZED', 'PAID', 'PAYMENT_FAILED', 'VOID');
CREATE TYPE role AS ENUM ('ADMIN', 'WRITER', 'CHARGER', 'READER');
CREATE TYPE settlement_mode AS ENUM ('CREDIT_THEN_INVOICE', 'CREDIT_ONLY');
CREATE TYPE settlement_status AS ENUM ('PENDING', 'AUTHORIZED', 'SETTLED', 'FAILED');
CREATE TYPE transfer_event AS ENUM ('FUNDED', 'PAYMENT_AUTHORIZED', 'AUTHORIZATION_REVERSED', 'PAYMENT_SETTLED', 'HELD', 'RELEASED', 'CONSUMED', 'RECOGNIZED', 'EXPIRED', 'VOIDED', 'FORFEITED', 'CORRECTED', 'ADJUSTED');

CREATE TABLE api_key (
  number bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  role role NOT NULL,
  tenant_id uuid NOT NULL,
  api_key_id uuid NOT NULL,
  customer_id uuid,
  name text NOT NULL,
  prefix text NOT NULL,
  secret_hash bytea NOT NULL,
  CONSTRAINT api_key_pkey PRIMARY KEY (api_key_id),
  CONSTRAINT api_key_admin_of_no_customer CHECK (((role <> 'ADMIN'::role) OR (customer_id IS NULL))),
  CONSTRAINT api_key_hash_is_sha256 CHECK ((octet_length(secret_hash) = 32))
) WITH (fillfactor=70);
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_key_of_tenant ON api_key USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON api_key TO drawdown_app;
GRANT UPDATE (revoked_at) ON api_key TO drawdown_app;
CREATE UNIQUE INDEX api_key_in_creation_order ON public.api_key USING btree (tenant_id, number);
CREATE UNIQUE INDEX api_key_prefix ON public.api_key USING btree (prefix);

CREATE TABLE balance (
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  currency text NOT NULL,
  credit numeric(38,12) NOT NULL,
  held numeric(38,12) NOT NULL,
  issued numeric(38,12) NOT NULL,
  CONSTRAINT balance_pkey PRIMARY KEY (customer_id, currency),
  CONSTRAINT balance_in_range CHECK ((((credit + held) <= issued) AND (issued < '1000000000000000000000000'::numeric))),
  CONSTRAINT balance_not_negative CHECK (((credit >= (0)::numeric) AND (held >= (0)::numeric)))
) WITH (fillfactor=50);
ALTER TABLE balance ENABLE ROW LEVEL SECURITY;
CREATE POLICY balance_of_tenant ON balance USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON balance TO drawdown_app;

CREATE TABLE charge (
  number bigint NOT NULL,
  first_consumed_sequence bigint,
  created_at timestamp with time zone NOT NULL,
  hold_expires_at timestamp with time zone,
  settled_at timestamp with time zone,
  canceled_at timestamp with time zone,
  status charge_status NOT NULL,
  settlement_mode settlement_mode NOT NULL,
  capture capture NOT NULL,
  rate_card_version integer,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  charge_id uuid NOT NULL,
  invoice_id uuid,
  invoice_line_id uuid,
  currency text NOT NULL,
  amount numeric(38,12) NOT NULL,
  estimated_amount numeric(38,12) NOT NULL,
  quantity numeric(38,12),
  invoiced_amount numeric(38,12) NOT NULL,
  corrected_invoiced numeric(38,12) NOT NULL,
  draw_credit_grant_ids uuid[] NOT NULL,
  draw_amounts numeric[] NOT NULL,
  draw_returned numeric[] NOT NULL,
  feature_key text,
  rate_card_key text,
  request_id text,
  fingerprint bytea,
  description text NOT NULL,
  metadata jsonb NOT NULL,
  CONSTRAINT charge_pkey PRIMARY KEY (customer_id, charge_id),
  CONSTRAINT charge_amount_in_range CHECK (((amount >= (0)::numeric) AND (amount < '1000000000000000000000000'::numeric))),
  CONSTRAINT charge_corrected_within_invoiced CHECK ((((corrected_invoiced >= (0)::numeric) AND (corrected_invoiced <= invoiced_amount)) AND (invoiced_amount < '1000000000000000000000000'::numeric))),
  CONSTRAINT charge_draws_aligned CHECK (((cardinality(draw_credit_grant_ids) = cardinality(draw_amounts)) AND (cardinality(draw_amounts) = cardinality(draw_returned)))),
  CONSTRAINT charge_open_times_out CHECK (((status <> 'OPEN'::charge_status) OR (hold_expires_at IS NOT NULL))),
  CONSTRAINT charge_request_has_fingerprint CHECK (((request_id IS NULL) = (fingerprint IS NULL)))
) WITH (fillfactor=95);
ALTER TABLE charge ENABLE ROW LEVEL SECURITY;
CREATE POLICY charge_of_tenant ON charge USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON charge TO drawdown_app;
CREATE INDEX charge_hold_timeout ON public.charge USING btree (customer_id, hold_expires_at, number) WHERE (status = 'OPEN'::charge_status);
CREATE INDEX charge_open ON public.charge USING btree (customer_id, charge_id) WHERE (status = 'OPEN'::charge_status);
CREATE UNIQUE INDEX charge_request ON public.charge USING btree (customer_id, request_id) WHERE (request_id IS NOT NULL);

CREATE TABLE credit_grant (
  number bigint NOT NULL,
  first_sequence bigint,
  created_at timestamp with time zone NOT NULL,
  effective_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  due_at timestamp with time zone,
  voided_at timestamp with time zone,
  priority integer NOT NULL,
  funding_method funding_method NOT NULL,
  status credit_grant_status NOT NULL,
  settlement_status settlement_status,
  availability availability,
  open boolean NOT NULL,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  credit_grant_id uuid NOT NULL,
  invoice_id uuid,
  currency text NOT NULL,
  amount numeric(38,12) NOT NULL,
  remaining numeric(38,12) NOT NULL,
  held numeric(38,12) NOT NULL,
  accrued numeric(38,12) NOT NULL,
  adjusted_unpaid numeric(38,12) NOT NULL,
  expires_after text,
  features text[] NOT NULL,
  purchase_currency text,
  per_unit_cost numeric(38,12),
  purchase_amount numeric(38,12),
  name text NOT NULL,
  description text NOT NULL,
  void_reason text,
  metadata jsonb NOT NULL,
  CONSTRAINT credit_grant_pkey PRIMARY KEY (customer_id, credit_grant_id),
  CONSTRAINT credit_grant_accrued_not_negative CHECK ((((accrued >= (0)::numeric) AND (accrued <= amount)) AND ((adjusted_unpaid >= (0)::numeric) AND (adjusted_unpaid <= amount)))),
  CONSTRAINT credit_grant_amount_positive CHECK (((amount > (0)::numeric) AND (amount < '1000000000000000000000000'::numeric))),
  CONSTRAINT credit_grant_available_has_sequence CHECK (((first_sequence IS NOT NULL) OR (remaining = (0)::numeric))),
  CONSTRAINT credit_grant_held_within_remaining CHECK (((held >= (0)::numeric) AND (held <= remaining))),
  CONSTRAINT credit_grant_open_means_remaining CHECK ((open = (remaining > (0)::numeric))),
  CONSTRAINT credit_grant_within_amount CHECK (((remaining >= (0)::numeric) AND (remaining <= amount)))
) WITH (fillfactor=70);
ALTER TABLE credit_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY credit_grant_of_tenant ON credit_grant USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON credit_grant TO drawdown_app;
CREATE INDEX credit_grant_draw_order ON public.credit_grant USING btree (customer_id, currency, priority, COALESCE(expires_at, 'infinity'::timestamp with time zone), first_sequence) WHERE open;
CREATE INDEX credit_grant_due ON public.credit_grant USING btree (customer_id, due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX credit_grant_open ON public.credit_grant USING btree (customer_id, credit_grant_id) WHERE open;
CREATE INDEX credit_grant_upcoming ON public.credit_grant USING btree (customer_id, credit_grant_id) WHERE (status = 'PENDING'::credit_grant_status);

CREATE TABLE currency (
  tenant_id uuid NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  exponent integer NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT currency_pkey PRIMARY KEY (tenant_id, code),
  CONSTRAINT currency_exponent_in_range CHECK (((exponent >= 0) AND (exponent <= 12)))
);
ALTER TABLE currency ENABLE ROW LEVEL SECURITY;
CREATE POLICY currency_of_tenant ON currency USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON currency TO drawdown_app;

CREATE TABLE customer (
  number bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  metadata jsonb NOT NULL,
  CONSTRAINT customer_pkey PRIMARY KEY (customer_id)
);
ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer_of_tenant ON customer USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON customer TO drawdown_app;
CREATE UNIQUE INDEX customer_in_creation_order ON public.customer USING btree (tenant_id, number, customer_id);

CREATE TABLE customer_head (
  sequence bigint NOT NULL DEFAULT 0,
  last_booked_at timestamp with time zone,
  next_due_at timestamp with time zone,
  object_count bigint NOT NULL DEFAULT 0,
  invoice_count bigint NOT NULL DEFAULT 0,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  CONSTRAINT customer_head_pkey PRIMARY KEY (customer_id)
) WITH (fillfactor=50);
ALTER TABLE customer_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer_head_of_tenant ON customer_head USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON customer_head TO drawdown_app;
CREATE INDEX customer_head_due ON public.customer_head USING btree (next_due_at, customer_id) WHERE (next_due_at IS NOT NULL);

CREATE TABLE customer_key (
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  customer_id uuid NOT NULL,
  CONSTRAINT customer_key_pkey PRIMARY KEY (tenant_id, key)
);
ALTER TABLE customer_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer_key_of_tenant ON customer_key USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON customer_key TO drawdown_app;

CREATE TABLE invoice (
  number bigint NOT NULL,
  issue_number bigint,
  created_at timestamp with time zone NOT NULL,
  issued_at timestamp with time zone,
  paid_at timestamp with time zone,
  voided_at timestamp with time zone,
  kind invoice_kind NOT NULL,
  status invoice_status NOT NULL,
  line_count integer NOT NULL,
  credit_line_count integer NOT NULL,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  invoice_id uuid NOT NULL,
  credit_grant_id uuid,
  currency text NOT NULL,
  subtotal numeric(38,12) NOT NULL,
  CONSTRAINT invoice_pkey PRIMARY KEY (customer_id, invoice_id),
  CONSTRAINT invoice_line_counts CHECK (((credit_line_count >= 0) AND (credit_line_count <= line_count)))
);
ALTER TABLE invoice ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_of_tenant ON invoice USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON invoice TO drawdown_app;
CREATE UNIQUE INDEX invoice_issue_number ON public.invoice USING btree (customer_id, issue_number) WHERE (issue_number IS NOT NULL);
CREATE UNIQUE INDEX invoice_one_draft ON public.invoice USING btree (customer_id, currency) WHERE (status = 'DRAFT'::invoice_status);

CREATE TABLE invoice_line (
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  invoice_line_id uuid NOT NULL,
  invoice_id uuid NOT NULL,
  charge_id uuid,
  credit_grant_id uuid,
  credited_invoice_id uuid,
  amount numeric(38,12) NOT NULL,
  description text NOT NULL,
  CONSTRAINT invoice_line_pkey PRIMARY KEY (customer_id, invoice_line_id),
  CONSTRAINT invoice_line_credit_is_negative CHECK (((credited_invoice_id IS NOT NULL) = (amount < (0)::numeric))),
  CONSTRAINT invoice_line_not_zero CHECK ((amount <> (0)::numeric))
);
ALTER TABLE invoice_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_line_of_tenant ON invoice_line USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT DELETE, INSERT, SELECT, UPDATE ON invoice_line TO drawdown_app;
CREATE INDEX invoice_line_credited ON public.invoice_line USING btree (customer_id, credited_invoice_id) WHERE (credited_invoice_id IS NOT NULL);
CREATE INDEX invoice_line_of_invoice ON public.invoice_line USING btree (customer_id, invoice_id, invoice_line_id);

CREATE TABLE migration (
  id integer NOT NULL DEFAULT nextval('migration_id_seq'::regclass),
  timestamp bigint NOT NULL,
  name character varying NOT NULL,
  CONSTRAINT PK_3043fc6b8af7c99b8b98830094f PRIMARY KEY (id)
);
ALTER TABLE migration DISABLE ROW LEVEL SECURITY;

CREATE TABLE movement_note (
  sequence bigint NOT NULL,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  description text NOT NULL,
  metadata jsonb NOT NULL,
  CONSTRAINT movement_note_pkey PRIMARY KEY (customer_id, sequence)
);
ALTER TABLE movement_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY movement_note_of_tenant ON movement_note USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON movement_note TO drawdown_app;

CREATE TABLE rate_card (
  created_at timestamp with time zone NOT NULL,
  archived_at timestamp with time zone,
  number bigint NOT NULL,
  version integer NOT NULL,
  settlement_mode settlement_mode NOT NULL,
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  feature_key text NOT NULL,
  currency text NOT NULL,
  price jsonb NOT NULL,
  minimum_amount numeric(38,12),
  maximum_amount numeric(38,12),
  CONSTRAINT rate_card_pkey PRIMARY KEY (tenant_id, key, version)
);
ALTER TABLE rate_card ENABLE ROW LEVEL SECURITY;
CREATE POLICY rate_card_of_tenant ON rate_card USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT, UPDATE ON rate_card TO drawdown_app;
CREATE INDEX rate_card_in_creation_order ON public.rate_card USING btree (tenant_id, number);

CREATE TABLE request (
  created_at timestamp with time zone NOT NULL,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  request_id text NOT NULL,
  fingerprint bytea NOT NULL,
  answer bytea NOT NULL,
  CONSTRAINT request_pkey PRIMARY KEY (customer_id, request_id)
);
ALTER TABLE request ENABLE ROW LEVEL SECURITY;
CREATE POLICY request_of_tenant ON request USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON request TO drawdown_app;

CREATE TABLE tenant (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  customer_count bigint NOT NULL DEFAULT 0,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id)
);
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_tenant ON tenant USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT SELECT, UPDATE ON tenant TO drawdown_app;
CREATE INDEX tenant_in_creation_order ON public.tenant USING btree (created_at, tenant_id);

CREATE TABLE tenant_request (
  created_at timestamp with time zone NOT NULL,
  tenant_id uuid NOT NULL,
  request_id text NOT NULL,
  fingerprint bytea NOT NULL,
  answer bytea NOT NULL,
  CONSTRAINT tenant_request_pkey PRIMARY KEY (tenant_id, request_id)
);
ALTER TABLE tenant_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_request_of_tenant ON tenant_request USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON tenant_request TO drawdown_app;

CREATE TABLE transfer (
  sequence bigint NOT NULL,
  booked_at timestamp with time zone NOT NULL,
  created_at timestamp with time zone NOT NULL,
  event transfer_event NOT NULL,
  debit_account account NOT NULL,
  credit_account account NOT NULL,
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL,
  credit_grant_id uuid NOT NULL,
  charge_id uuid,
  currency text NOT NULL,
  amount numeric(38,12) NOT NULL,
  settled_after numeric(38,12) NOT NULL,
  pending_after numeric(38,12) NOT NULL,
  grant_remaining_after numeric(38,12) NOT NULL,
  grant_held_after numeric(38,12) NOT NULL,
  CONSTRAINT transfer_pkey PRIMARY KEY (customer_id, sequence),
  CONSTRAINT transfer_amount_positive CHECK (((amount > (0)::numeric) AND (amount < '1000000000000000000000000'::numeric))),
  CONSTRAINT transfer_balances_not_negative CHECK ((((pending_after >= (0)::numeric) AND (pending_after <= settled_after)) AND (settled_after < '1000000000000000000000000'::numeric))),
  CONSTRAINT transfer_between_two_accounts CHECK ((debit_account <> credit_account)),
  CONSTRAINT transfer_grant_not_negative CHECK ((((grant_held_after >= (0)::numeric) AND (grant_held_after <= grant_remaining_after)) AND (grant_remaining_after < '1000000000000000000000000'::numeric)))
);
ALTER TABLE transfer ENABLE ROW LEVEL SECURITY;
CREATE POLICY transfer_of_tenant ON transfer USING ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))) WITH CHECK ((tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif")));
GRANT INSERT, SELECT ON transfer TO drawdown_app;
CREATE INDEX transfer_by_currency ON public.transfer USING btree (customer_id, currency, sequence);
CREATE INDEX transfer_by_grant ON public.transfer USING btree (customer_id, credit_grant_id, sequence);
CREATE INDEX transfer_ends_of_charge ON public.transfer USING btree (customer_id, charge_id, sequence) WHERE ((charge_id IS NOT NULL) AND (event = ANY (ARRAY['EXPIRED'::transfer_event, 'VOIDED'::transfer_event, 'CORRECTED'::transfer_event])));
CREATE INDEX transfer_rare_movements ON public.transfer USING btree (customer_id, event, currency, sequence) WHERE (event = ANY (ARRAY['FUNDED'::transfer_event, 'EXPIRED'::transfer_event, 'VOIDED'::transfer_event, 'CORRECTED'::transfer_event, 'ADJUSTED'::transfer_event]));

CREATE OR REPLACE FUNCTION public.create_tenants(tenant_ids uuid[], names text[], created_ats timestamp with time zone[])
 RETURNS SETOF uuid
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$INSERT INTO tenant (tenant_id, name, created_at)
      SELECT * FROM unnest(tenant_ids, names, created_ats) RETURNING tenant_id$function$
;
GRANT EXECUTE ON FUNCTION create_tenants(uuid[],text[],timestamp with time zone[]) TO drawdown_app;

CREATE OR REPLACE FUNCTION public.customers_due(customers_max integer)
 RETURNS TABLE(tenant_id uuid, customer_id uuid)
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT h.tenant_id, h.customer_id FROM customer_head h
      WHERE h.next_due_at <= (SELECT ledger_clock()) ORDER BY h.next_due_at LIMIT customers_max$function$
;
GRANT EXECUTE ON FUNCTION customers_due(integer) TO drawdown_app;

CREATE OR REPLACE FUNCTION public.customers_watched(customer_ids uuid[])
 RETURNS TABLE(customer_id uuid, sequence bigint, next_due_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT h.customer_id, h.sequence, h.next_due_at FROM customer_head h
      WHERE h.customer_id = ANY(customer_ids)$function$
;
GRANT EXECUTE ON FUNCTION customers_watched(uuid[]) TO drawdown_app;

CREATE OR REPLACE FUNCTION public.find_api_keys(prefixes text[])
 RETURNS TABLE(prefix text, secret_hash bytea, api_key_id uuid, tenant_id uuid, customer_id uuid, role role, expires_in_ms double precision)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT k.prefix, k.secret_hash, k.api_key_id, k.tenant_id, k.customer_id, k.role,
        extract(epoch FROM k.expires_at - c.clock) * 1000
      FROM (SELECT ledger_clock() AS clock) c CROSS JOIN api_key k
      WHERE k.prefix = ANY(prefixes) AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > c.clock)$function$
;
GRANT EXECUTE ON FUNCTION find_api_keys(text[]) TO drawdown_app;

CREATE OR REPLACE FUNCTION public.ledger_clock()
 RETURNS timestamp with time zone
 LANGUAGE sql
AS $function$SELECT clock_timestamp()$function$
;
GRANT EXECUTE ON FUNCTION ledger_clock() TO drawdown_app;

CREATE OR REPLACE FUNCTION public.lock_tenants()
 RETURNS TABLE(tenant_count bigint, newest_created_at timestamp with time zone)
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT pg_advisory_xact_lock(8387231245791425313);
      SELECT count(*), max(t.created_at) FROM tenant t$function$
;
GRANT EXECUTE ON FUNCTION lock_tenants() TO drawdown_app;

CREATE OR REPLACE FUNCTION public.record_api_key_use(api_key_ids uuid[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$UPDATE api_key k SET last_used_at = ledger_clock()
      FROM (
        SELECT u.api_key_id FROM api_key u WHERE u.api_key_id = ANY(api_key_ids)
          AND (u.last_used_at IS NULL OR u.last_used_at < ledger_clock() - interval '1 minute')
        ORDER BY u.api_key_id FOR NO KEY UPDATE SKIP LOCKED
      ) f
      WHERE k.api_key_id = f.api_key_id$function$
;
GRANT EXECUTE ON FUNCTION record_api_key_use(uuid[]) TO drawdown_app;

CREATE OR REPLACE FUNCTION public.tenant_of_api_key(sought_id uuid)
 RETURNS uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT k.tenant_id FROM api_key k WHERE k.api_key_id = sought_id$function$
;
GRANT EXECUTE ON FUNCTION tenant_of_api_key(uuid) TO drawdown_app;

CREATE OR REPLACE FUNCTION public.tenants()
 RETURNS TABLE(tenant_id uuid, name text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT t.tenant_id, t.name FROM tenant t$function$
;
GRANT EXECUTE ON FUNCTION tenants() TO drawdown_app;

CREATE OR REPLACE FUNCTION public.tenants_after(after_created_at timestamp with time zone, after_tenant_id uuid, tenants_max integer)
 RETURNS TABLE(tenant_id uuid, name text, created_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$SELECT t.tenant_id, t.name, t.created_at FROM tenant t
      WHERE (t.created_at, t.tenant_id) > (after_created_at, after_tenant_id)
      ORDER BY t.created_at, t.tenant_id LIMIT tenants_max$function$
;
GRANT EXECUTE ON FUNCTION tenants_after(timestamp with time zone,uuid,integer) TO drawdown_app;
