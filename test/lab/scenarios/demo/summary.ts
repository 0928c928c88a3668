/** The end of the demo: what clients saw of it, and whether all held that has to. */
import type { LoadReport } from '../../src/load.ts';
import { seconds } from '../kit/scenario.ts';
import { bold, green, heading, line, red, yellow } from './screen.ts';

export interface Outage {
  readonly what: string;
  readonly ms: number;
  /** docs/TIMING.md. */
  readonly boundMs: number;
}

/** Returns whether all held. */
export function summarize(report: LoadReport, outages: readonly Outage[], disagreement: string | undefined): boolean {
  const { client, writers } = report;
  heading('summary');
  const row = (name: string, value: string, holds: boolean | null, remark = '') => {
    const mark = holds === null ? ' ' : holds ? green('✓') : red('✗');
    const shown = holds === false ? red(bold(value)) : bold(value);
    line(` ${mark} ${name.padEnd(50)} ${shown}${remark === '' ? '' : `  ${remark}`}`);
  };
  for (const { what, ms, boundMs } of outages)
    row(`outage seen by clients, ${what}`, seconds(ms), ms <= boundMs, `bound ${boundMs / 1000} s`);
  const direct = writers.site1.acknowledged + writers.site2.acknowledged;
  row('writes acknowledged to the client', String(client.acknowledged), client.acknowledged > 0);
  row('and by the databases at their own sockets', String(direct), direct > 0);
  const lost = client.lost + report.writersLost;
  const tail = 'the tail that the asynchronous standby had not received yet';
  row('acknowledged writes that were lost', String(lost), lost === 0 ? true : null, lost === 0 ? '' : yellow(tail));
  row(
    'writes acknowledged by two databases at once',
    report.overlap === 0 ? 'none' : String(report.overlap),
    report.overlap === 0,
  );
  const failures = Object.entries(client.failures).map(([kind, count]) => `${count} ${kind}`);
  const cause =
    client.failed === 0 ? '' : `${failures.join(', ')}: sent to the lost site while its address was the name's`;
  row('requests that failed', String(client.failed), null, cause);
  row(
    'record, database, .env, HAProxy and DNS agree',
    disagreement === undefined ? 'yes' : 'NO',
    disagreement === undefined,
    disagreement,
  );
  for (const problem of report.problems) row('could not be measured', problem, false);
  const held =
    outages.every(({ ms, boundMs }) => ms <= boundMs) &&
    client.acknowledged > 0 &&
    report.overlap === 0 &&
    disagreement === undefined &&
    report.problems.length === 0;
  line();
  line(held ? green(bold('All held: nobody had to get up.')) : red(bold('Not all held.')));
  return held;
}
