/** Owns the names of the databases of a test run: its template, and a URL for each database. */

export const TEMPLATE = "drawdown_template";

/** Names another database of the same server. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
