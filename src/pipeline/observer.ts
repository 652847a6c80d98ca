/** Owns what the pipeline tells of its work to whoever measures it. Nothing depends on it. */
export interface PipelineObserver {
  /** A transaction of customers or of a registry was committed. */
  batchCommitted(batch: CommittedBatch): void;
  /** The database took so long to answer COMMIT. */
  commitAnswered(durationMs: number): void;
  /** A transaction is run again, because others were in the way or the link was lost. */
  batchRetried(): void;
  /** COMMIT was not answered: whether the batch is stored has to be found out (W2). */
  commitUnclear(): void;
}

export interface CommittedBatch {
  readonly commands: number;
  /** How many transfers were booked because something had fallen due (M6). */
  readonly dueTransfers: number;
  /** From its first lock to the answer to its COMMIT, retries included. */
  readonly durationMs: number;
}
