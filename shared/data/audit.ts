/** The audit trail: who saw or changed whose data, and who was refused. Appended, never changed. */
import type { Environment } from '../domain/ids.ts';
import { auditEntry } from './keys.ts';
import { absent, type Table } from './table.ts';

export interface AuditEntry {
  /** The sign-in name, or `anonymous`. */
  readonly actor: string;
  readonly action: 'read' | 'list' | 'change' | 'denied';
  /** Route and ids, no data. */
  readonly resource: string;
  readonly reason?: string;
  /** Network address of the caller. */
  readonly from?: string | undefined;
  readonly requestId: string;
}

/** Kept for six years, as HIPAA asks of documentation (45 CFR 164.316(b)(2)(i)). */
export const auditYears = 6;

export type Audit = ReturnType<typeof createAudit>;

export function createAudit(table: Table, environment: Environment) {
  return {
    async append(entry: AuditEntry): Promise<void> {
      const at = environment.now().toISOString();
      const row = { ...auditEntry(at, environment.newId('entry')), ...entry, at, schemaVersion: 1 };
      await table.write({ put: row, when: absent });
    },
  };
}
