/**
 * The audit trail: who saw or changed whose data, and who was refused. Appended, never changed, and never expired: HIPAA
 * asks for six years (45 CFR 164.316(b)(2)(i)), so no entry carries a time to live.
 */
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
