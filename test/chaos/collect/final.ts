/** What is in the primary at the end, asked at its own socket. */

import { nowMs } from '../../lab/scenarios/kit/scenario.ts';
import type { Lab } from '../../lab/src/lab.ts';
import type { SiteName } from '../../lab/src/topology.ts';
import { LabError } from '../../lab/src/topology.ts';
import type { Final } from '../history/history.ts';
import { valueAt } from '../load/register-dates.ts';
import { keyOf } from './journals.ts';

export async function readFinal(lab: Lab, primary: SiteName, run: string, base: number): Promise<Final> {
  const query = async (sql: string): Promise<readonly (readonly string[])[]> => {
    const psql = ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', '/run/postgresql', '-d', 'revolutdb', '-c', sql];
    const text = await lab.mustExec(`${primary}-db`, psql, { user: 'postgres', timeoutMs: 20_000 });
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('|'));
  };
  const atMs = nowMs();
  const [state] = await query('SELECT pg_is_in_recovery()');
  if (state?.[0] !== 'f') throw new LabError(`${primary}'s database is no primary at the end`);
  const writes = await query(`SELECT site, start, seq FROM lab.writes WHERE run = '${run}'`);
  const users = await query(`SELECT username, birthday FROM base.users WHERE username LIKE '${run}%'`);
  const prefix = `${run}reg`;
  const isRegister = (name: string) => name.startsWith(prefix) && name.length > run.length + 7;
  const registers = users.flatMap(([name = '', date = '']): readonly [string, number][] =>
    isRegister(name) ? [[name, valueAt(base, date)]] : [],
  );
  return {
    primary,
    atMs,
    keys: new Set(writes.map(([site = '', start = '', seq = '']) => keyOf(site, start, seq))),
    names: new Set(users.map(([name = '']) => name).filter((name) => !isRegister(name))),
    registers: new Map(registers),
  };
}
