// HAProxy's statistics as CSV (management guide, section 9.1). Columns are found by their names: each version adds some.

import type { BalancerServer } from '../../core/observe/observation.ts';

/** The servers of one backend, or null where the text is no statistics. A backend that is not there has no servers. */
export function parseStatistics(text: string, backend: string): readonly BalancerServer[] | null {
  const [header = '', ...rows] = text.split('\n');
  if (!header.startsWith('# pxname,svname,')) return null;
  const columns = splitRow(header.slice(2));
  const status = columns?.indexOf('status') ?? -1;
  if (columns === null || status < 0) return null;

  const servers: BalancerServer[] = [];
  for (const row of rows) {
    if (row.trim() === '') continue;
    const fields = splitRow(row);
    // Cut off in the middle, or something else altogether: half of an answer is none.
    if (fields === null || fields.length < columns.length - 1) return null;
    const [proxy, name = ''] = fields;
    if (proxy !== backend || name === 'FRONTEND' || name === 'BACKEND') continue;
    servers.push({ name, status: statusOf(fields[status] ?? '') });
  }
  return servers;
}

/** `UP 1/2` and `DOWN 1/2` are on their way to the other state; HAProxy treats them as what the word says. */
function statusOf(text: string): BalancerServer['status'] {
  switch (text.split(' ')[0]) {
    case 'UP':
      return 'up';
    case 'DOWN':
      return 'down';
    case 'DRAIN':
    case 'NOLB':
      return 'drain';
    case 'MAINT':
      return 'maint';
    default:
      return 'unknown';
  }
}

/** Fields may be quoted, a quote in them doubled. Null where a quote does not end. */
function splitRow(row: string): readonly string[] | null {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|\r?$)/y;
  for (;;) {
    const match = pattern.exec(row);
    if (match === null) return null;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] !== ',') return fields;
  }
}
