/** A run told so that a reader can follow it: who did what when, what went wrong, what broke. */
import type { Row } from '../../shared/data/table.ts';
import { type FaultKind, faultKinds } from '../faults.ts';
import type { RowChange } from '../memory-table.ts';
import { kindOfItem } from './sites.ts';
import type { AdverseWorld, Happening } from './world.ts';

export interface Story {
  onHappening(happening: Happening, world: AdverseWorld): void;
  lines(): readonly string[];
}

/** What of a row changes in a story; all else is left out. */
const told = [
  'version',
  'progress',
  'stage',
  'assignedTo',
  'mailKind',
  'mailState',
  'state',
  'step',
  'hold',
  'dueSk',
];

const shown = (value: unknown): string =>
  typeof value === 'object'
    ? JSON.stringify(value)
    : String(value ?? '-').replace(/^(2\d{3}-\S+Z)#.*$/, '$1');

function changeText({ before, after }: RowChange, nameOf: (text: string) => string): string {
  const row = (after ?? before) as Row;
  const name = `${nameOf(row.pk)} ${kindOfItem(row).split(' ')[1]}`;
  if (!after) return `${name} is gone`;
  const changes = told
    .filter((attribute) => after[attribute] !== undefined || before?.[attribute] !== undefined)
    .filter((attribute) => shown(before?.[attribute]) !== shown(after[attribute]))
    .map(
      (attribute) =>
        `${attribute} ${before ? `${shown(before[attribute])} → ` : ''}${shown(after[attribute])}`,
    );
  return `${name}${before ? '' : ' (new)'} ${changes.join(', ')}`.trimEnd();
}

/** @param nameOf - how an inquiry or a person is called; their ids say nothing */
export function createStory(): Story {
  const lines: string[] = [];
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  /** Ids as `inquiry 1`, in the order in which they come up. */
  const nameOf = (text: string): string =>
    text.replace(/(?:INQ#|CON#)?((inq|con|tsk|apt|ent)_[0-9A-Z]{26})/g, (_, id: string, kind: string) => {
      const known = names.get(id);
      if (known !== undefined) return known;
      const n = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, n);
      const words: Record<string, string> = {
        inq: 'inquiry',
        con: 'contact',
        tsk: 'task',
        apt: 'appointment',
        ent: 'entry',
      };
      const name = `${words[kind]} ${n}`;
      names.set(id, name);
      return name;
    });
  const because = (fault: FaultKind): string => `   ✗ ${fault}: ${faultKinds[fault].what}`;

  return {
    onHappening(happening, world) {
      const at = new Date(world.agenda.nowMs()).toISOString().slice(11, 23);
      const add = (text: string): void => void lines.push(`${at}  ${nameOf(text)}`);
      switch (happening.is) {
        case 'call': {
          const { call, fault } = happening;
          const isRead = ['get', 'batchGet', 'query'].includes(call.operation);
          if (fault === undefined && isRead) return;
          add(`${call.invocation.address}  ${call.site.slice(call.invocation.name.length + 1)}`);
          if (fault !== undefined) add(because(fault));
          return;
        }
        case 'fault':
          if (/^(score|route|mail) delivery|stream$|schedule$/.test(happening.fault.site)) {
            add(`${happening.fault.address}  ${happening.fault.site}`);
            add(because(happening.fault.kind));
          }
          return;
        case 'commit':
          for (const change of happening.changes) add(`   ${changeText(change, nameOf)}`);
          return;
        case 'mail': {
          const { mail } = happening;
          const to = mail.toPerson ? 'the person' : mail.to.join(', ');
          add(`   mail to ${to}: ${mail.toPerson ? mail.asked.kind : mail.subject}`);
          return;
        }
        case 'trouble':
          add(
            `   ! ${happening.where}: ${happening.error instanceof Error ? happening.error.name : 'error'}`,
          );
          return;
        case 'said':
          add(happening.text);
      }
    },
    lines: () => lines,
  };
}
