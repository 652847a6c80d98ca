/** Owns the faults planted around the rules: transactions, request ids, reads, the edges. */
import type { Fault } from "./fault.ts";

export const SERVICE_FAULTS: readonly Fault[] = [
  {
    name: "the tag of COMMIT is not looked at, an error was swallowed",
    file: "src/pipeline/commit.ts",
    find: 'if (tag !== "COMMIT") throw',
    put: 'if (tag === "") throw',
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "W2",
    small: true,
  },
  {
    name: "an unclear commit is taken for a failure",
    file: "src/pipeline/commit.ts",
    find: 'throw new UnclearCommit("the answer to COMMIT was lost", { cause: error });',
    put: "throw new AssertionFailure(String(error));",
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "W2",
  },
  {
    name: "request ids are stored in a transaction of their own",
    file: "src/pipeline/flush.ts",
    find: "  if (ofCharges.length > 0) sent.push(session.storeTogether(ofCharges));\n",
    put: `  await Promise.all(sent);
  const tenant = await session.query(
    { name: "", text: "SELECT current_setting('app.tenant') AS id" }, []);
  const { id } = tenant.rows[0] as { id: string };
  await session.query({ name: "", text: "COMMIT" }, []);
  await session.query({ name: "", text: "BEGIN" }, []);
  await session.query({ name: "", text: \`SET LOCAL app.tenant = '\${id}'\` }, []);
  if (ofCharges.length > 0) sent.push(session.storeTogether(ofCharges));
`,
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "W1",
  },
  {
    name: "request ids have no unique key",
    file: "src/database/migrations/1_ledger.ts",
    find: "CREATE UNIQUE INDEX charge_request ON charge",
    put: "CREATE INDEX charge_request ON charge",
    caughtBy: "test/database/schema.test.ts",
    test: "",
  },
  {
    name: "rows that were not stored are not missed",
    file: "src/pipeline/session.ts",
    find: "assert(rowCount === rows,",
    put: "assert(rowCount !== -1,",
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "W2",
  },
  {
    name: "the customer is not locked",
    file: "src/pipeline/batch.ts",
    find: "ORDER BY customer_id FOR NO KEY UPDATE SKIP LOCKED`",
    put: "ORDER BY customer_id`",
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "L3",
  },
  {
    name: "balances are read before the lock is taken",
    file: "src/pipeline/batch.ts",
    find: `[heads, opening, keepFirstNeeds] = await Promise.all([
      session.rows<Placed<LockedRow>>(lockWait === null ? LOCK_FREE : LOCK_WAITING, [named]),
      readOpening(session, named, writes),`,
    put: `[opening, heads, keepFirstNeeds] = await Promise.all([
      readOpening(session, named, writes),
      session.rows<Placed<LockedRow>>(lockWait === null ? LOCK_FREE : LOCK_WAITING, [named]),`,
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "L3",
  },
  {
    name: "grants are read before the lock is taken",
    file: "src/pipeline/batch.ts",
    find: "[heads, opening, keepFirstNeeds] = await Promise.all([\n",
    put: `[keepFirstNeeds, heads, opening] = await Promise.all([
      fetchNeeds(source, firstNeeds(jobsOf)),
`,
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "L3",
  },
  {
    name: "a known id is looked for after the verb has run",
    file: "src/pipeline/batch-book.ts",
    find: "    const { request } = write;\n",
    put: "    const { request } = write;\n    write.verb(this.book);\n",
    caughtBy: "test/pipeline/pipeline.test.ts",
    test: "W1",
    small: true,
  },
  {
    name: "a known id is answered whatever it asks for",
    file: "src/pipeline/request-answers.ts",
    find: "if (given === undefined || Buffer.compare(given.fingerprint, fingerprint) === 0) return given;",
    put: "if (given === undefined || fingerprint.length > 0) return given;",
    caughtBy: "test/pipeline/pipeline.test.ts",
    test: "W1",
  },
  {
    name: "the fingerprint ignores a field",
    file: "src/rpc/fingerprint.ts",
    find: "field.name !== REQUEST_ID_FIELD)",
    put: 'field.name !== REQUEST_ID_FIELD && field.name !== "description")',
    caughtBy: "test/rpc/fingerprint.test.ts",
    test: "W1",
  },
  {
    name: "a kept balance is not written again",
    file: "src/ledger/journal.ts",
    find: "    this.touchedBalances.add(balance);\n    return transfer;",
    put: "    return transfer;",
    caughtBy: "test/pipeline/pipeline.test.ts",
    test: "W1",
  },
  {
    name: "the clock is the transaction's beginning",
    file: "src/database/migrations/1_ledger.ts",
    find: "AS 'SELECT clock_timestamp()'",
    put: "AS 'SELECT now()'",
    caughtBy: "test/pipeline/transactions.test.ts",
    test: "L3",
  },
  {
    name: "held credit counts in pending",
    file: "src/ledger/journal.ts",
    find: "pendingAfter: balance.credit,",
    put: "pendingAfter: balance.credit + balance.held,",
    caughtBy: "test/ledger/journal.test.ts",
    test: "L3",
  },
  {
    name: "a read does not wait for what has fallen due",
    file: "src/queries/customer-reads.ts",
    find: "return nextDueAt !== null && nextDueAt <= now;",
    put: "return nextDueAt !== null && nextDueAt < 0n && nextDueAt <= now;",
    caughtBy: "test/queries/balances.test.ts",
    test: "M6",
  },
  {
    name: "a page begins with the last row of the one before",
    file: "src/queries/movement-pages.ts",
    find: "from: later(from, sequence + 1n), to }",
    put: "from: later(from, sequence), to }",
    caughtBy: "test/queries/history.test.ts",
    test: "H3",
  },
  {
    name: "a page cursor names a moment",
    file: "src/queries/movement-pages.ts",
    find: "const place = placeOf(customer, ask, head);",
    put: `const at = placeOf(customer, ask, head);
      const [named] = await manager.query(
        "SELECT booked_at AS moment FROM transfer WHERE customer_id = $1 AND sequence = $2",
        [customerId, at.sequence],
      );
      const search = { moment: named?.moment, newest: head.sequence };
      const byMoment = at.direction === "newer" && named !== undefined;
      const sequence = byMoment ? await lastSequenceAt(manager, customerId, search) : at.sequence;
      const place = { ...at, sequence };`,
    caughtBy: "test/queries/history.test.ts",
    test: "H3",
  },
  {
    name: "another tenant's rows are visible",
    file: "src/database/migrations/3_tenant_once.ts",
    find: "USING (tenant_id =",
    put: "USING (true OR tenant_id =",
    caughtBy: "test/database/tenants.test.ts",
    test: "R8",
  },
  {
    name: "the application can change a transfer",
    file: "src/database/migrations/1_ledger.ts",
    find: 'transfer: "SELECT, INSERT",',
    put: 'transfer: "SELECT, INSERT, UPDATE",',
    caughtBy: "test/database/tenants.test.ts",
    test: "L2",
  },
  {
    name: "a call that has ended stays in flight",
    file: "src/server/drain.ts",
    find: "    this.#inFlight -= 1;\n",
    put: "",
    caughtBy: "test/server/drain.test.ts",
    test: "a drain",
  },
];
