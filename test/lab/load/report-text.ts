// The report for people.

import type { Ack, Outage, Overlap } from './findings.ts';

export type WriterReport = {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly firstAckMs: number | null;
  readonly lastAckMs: number | null;
  readonly epochs: readonly {
    readonly era: number;
    readonly epoch: number;
    readonly timeline: number;
    readonly firstMs: number;
    readonly lastMs: number;
  }[];
};

export type Report = {
  readonly client: {
    readonly acknowledged: number;
    readonly failed: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly reads: number;
    readonly staleReads: number;
    /** Sent once more because a kept connection had just been closed. */
    readonly retried: number;
    readonly longestOutageMs: number;
    readonly outages: readonly Outage[];
    readonly lost: number;
    readonly lostNames: readonly string[];
    readonly unchecked: number;
    readonly addresses: readonly { readonly atMs: number; readonly address: string }[];
  };
  readonly writers: Readonly<Record<string, WriterReport>>;
  readonly writersLost: number;
  readonly writersLostExamples: readonly Ack[];
  readonly writersOutageMs: number;
  readonly overlap: number;
  readonly overlapExamples: readonly Overlap[];
  readonly primary: string | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly problems: readonly string[];
};

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function counts(by: Readonly<Record<string, number>>): string {
  const parts = Object.entries(by).map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

export function reportText(report: Report): string {
  const { client } = report;
  const start = report.fromMs ?? client.addresses[0]?.atMs ?? 0;
  const since = (ms: number) => `${((ms - start) / 1000).toFixed(2)} s`;
  const lines = [
    `client: ${client.acknowledged} writes acknowledged, ${client.lost} of them lost, ${client.failed} requests failed${counts(client.failures)}`,
    `        longest write outage ${seconds(client.longestOutageMs)}`,
    ...client.outages.map(
      (gap) => `        no write from ${since(gap.fromMs)} to ${since(gap.toMs)}: ${seconds(gap.ms)}`,
    ),
    ...client.addresses.map(({ atMs, address }) => `        name resolved to ${address} at ${since(atMs)}`),
  ];
  for (const [site, writer] of Object.entries(report.writers)) {
    const epochs = writer.epochs.map((e) => `epoch ${e.epoch} from ${since(e.firstMs)} to ${since(e.lastMs)}`);
    lines.push(
      `${site}: ${writer.acknowledged} writes acknowledged by its database${epochs.length ? `: ${epochs.join(', ')}` : ''}`,
    );
  }
  lines.push(
    `writes acknowledged by a database and not in ${report.primary ?? 'the primary'} now: ${report.writersLost}`,
    `writes acknowledged by two databases at once: ${report.overlap}`,
    ...report.overlapExamples.map(
      ({ write, otherSite, otherArrivedMs }) =>
        `        ${write.site} took a write sent at ${since(write.s)}, after ${otherSite} had taken one at ${since(otherArrivedMs)}`,
    ),
    ...report.problems.map((problem) => `problem: ${problem}`),
  );
  return lines.join('\n');
}
