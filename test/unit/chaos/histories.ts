/** A small cluster's life by hand: 100 writes in epoch 1, a failover at 10 s, 100 in epoch 2. */
import type {
  Change,
  Final,
  History,
  Impairment,
  NameRead,
  NameWrite,
  RegisterRead,
  RegisterWrite,
  SocketWrite,
} from '../../chaos/history/history.ts';

export const write = (
  site: SocketWrite['site'],
  epoch: number,
  s: number,
  over: Partial<SocketWrite> = {},
): SocketWrite => ({
  key: `${site} ${s}`,
  site,
  s,
  a: s + 5,
  token: [0, epoch, epoch],
  lsn: s * 100,
  ...over,
});

export const failoverAt = 10_000;

export const failover: Change = {
  epoch: 2,
  from: 'site1',
  to: 'site2',
  atMs: failoverAt,
  planned: false,
  reason: "site1's guard gave its database up",
  received: 800_000,
  lagBytes: 0,
  seenAtMs: null,
};

export const power: Impairment = { fault: '#1 database-power', what: 'site1-db', fromMs: 9_000, toMs: 9_000 };

const times = (from: number, to: number) => Array.from({ length: (to - from) / 100 }, (_, i) => from + i * 100);

export const before = times(0, 9_000).map((s) => write('site1', 1, s));
export const after = times(10_500, 20_000).map((s) => write('site2', 2, s));

/** A good life: nothing is lost, nothing overlaps. */
export function history(over: Partial<History> = {}, final: Partial<Final> = {}): History {
  const sockets = over.sockets ?? [...before, ...after];
  const names: readonly NameWrite[] = over.names ?? [
    { name: 'early', s: 1_000, a: 1_010 },
    { name: 'late', s: 15_000, a: 15_010 },
  ];
  return {
    replication: 'async',
    witness: 'route53',
    maxLagBytes: 16 * 1024 * 1024,
    sockets,
    names,
    nameReads: [],
    registerWrites: [],
    registerReads: [],
    changes: [failover],
    entryMoves: [],
    beliefs: [],
    impairments: [power],
    ...over,
    final: {
      primary: 'site2',
      keys: new Set(sockets.map(({ key }) => key)),
      names: new Set(names.map(({ name }) => name)),
      registers: new Map(),
      atMs: 25_000,
      ...final,
    },
  };
}

/** All keys but these. */
export const without = (sockets: readonly SocketWrite[], lost: readonly SocketWrite[]): ReadonlySet<string> =>
  new Set(sockets.filter((each) => !lost.includes(each)).map(({ key }) => key));

export const read = (name: string, s: number, found: boolean): NameRead => ({ name, s, a: s + 5, found });

export const put = (value: number, s: number, a: number | null = s + 5): RegisterWrite => ({
  name: 'reg',
  value,
  s,
  a,
});

export const get = (value: number | null, s: number): RegisterRead => ({ name: 'reg', value, s, a: s + 5 });
