/** The two faults of the demo and what is to be seen of each. */
import type { LabEvent } from '../../src/events.ts';
import type { Lab } from '../../src/lab.ts';
import { ADDRESSES, ENTRY_NAME } from '../../src/topology.ts';
import type { Step, Story } from './timeline.ts';

const word = (event: LabEvent, field: string): string => {
  const value = event.fields[field];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};

const isVerdict = (event: LabEvent, part: string, to: readonly string[]) =>
  event.event === 'verdict.changed' && word(event, 'part') === part && to.includes(word(event, 'to'));

/** Both agents have to say so; the second one's word is the confirmation. */
function bothSay(part: string): NonNullable<Step['event']> {
  const said = new Set<string>();
  return (event) => {
    if (!isVerdict(event, part, ['failed'])) return undefined;
    said.add(event.host);
    return said.size === 2 ? `both agents: ${word(event, 'class')}, three probes in a row` : undefined;
  };
}

const acknowledgedVia =
  (after: string, text: string): NonNullable<Step['record']> =>
  (record, seen) =>
    record.k === 'w' && record.e === undefined && seen.has(after) ? text : undefined;

export function databaseHostLost(lab: Lab): Story {
  const steps: readonly Step[] = [
    {
      name: 'detected',
      event: (event) =>
        isVerdict(event, 'primary', ['suspect', 'failed'])
          ? `${event.host}: site1's database, ${word(event, 'class')}: ${word(event, 'detail')}`
          : undefined,
    },
    { name: 'confirmed', event: bothSay('primary') },
    {
      // The host is dark, so nobody can look whether its database is dead: what is certain is that its lease has run out.
      name: 'fenced',
      event: (event) =>
        event.event === 'round.begun' && word(event, 'intent') === 'primary'
          ? "site1's lease has run out: nothing that is left there may write any more"
          : undefined,
    },
    {
      name: 'agreed',
      event: (event) =>
        event.event === 'record.chosen' && word(event, 'primary') === 'site2'
          ? `epoch ${word(event, 'epoch')}, primary site2, chosen by a majority`
          : undefined,
    },
    {
      name: 'promoted',
      event: (event) =>
        event.event === 'database.promoted' && event.host === 'site2-db'
          ? 'site2-db, under a lease of its own'
          : undefined,
    },
    ...(['site1', 'site2'] as const).map(
      (site): Step => ({
        name: `applications of ${site}`,
        event: (event) =>
          event.event === 'env.switched' && word(event, 'site') === site
            ? 'switched: .env replaced, instances reloaded, on site2-db now'
            : undefined,
      }),
    ),
    { name: 'first write accepted', record: acknowledgedVia('promoted', 'clients write again, through the same name') },
  ];
  return {
    title: "1. the primary's database host loses its power",
    what: 'the database host lost',
    boundMs: 8_000,
    fault: 'power loss of site1-db, the primary database',
    deed: () => lab.kill('site1-db'),
    steps,
    deadlineMs: 40_000,
  };
}

export function siteLost(lab: Lab): Story {
  const other = ADDRESSES['site2-svc'];
  const steps: readonly Step[] = [
    {
      name: 'detected',
      event: (event) =>
        isVerdict(event, 'entry site1', ['suspect', 'failed'])
          ? `${event.host}: site1's HAProxy, ${word(event, 'class')}: ${word(event, 'detail')}`
          : undefined,
    },
    {
      name: 'confirmed',
      event: (event) =>
        isVerdict(event, 'entry site1', ['failed'])
          ? 'three probes in a row; the other agent is silent, the witness is not'
          : undefined,
    },
    {
      name: 'agreed',
      event: (event) =>
        event.event === 'record.chosen' && word(event, 'entry') === 'site2'
          ? 'entry site2, chosen by the other agent and the witness'
          : undefined,
    },
    {
      name: 'DNS moved',
      event: (event) => (event.event === 'dns.moved' ? `${ENTRY_NAME} is ${other}, in sync in Route 53` : undefined),
    },
    {
      name: 'client follows',
      record: (record) =>
        record.k === 'dns' && record.ip === other
          ? `asked for the name again and got ${record.ip} (TTL ${record.ttl} s)`
          : undefined,
    },
    { name: 'first write accepted', record: acknowledgedVia('client follows', "through site2's HAProxy") },
  ];
  return {
    title: '2. the rest of its site follows',
    what: 'the rest of the site lost',
    // 10 s, and as much for the TTL of the name.
    boundMs: 20_000,
    fault: 'power loss of all that is left of site1: HAProxy, agent, applications',
    deed: () => lab.kill('site1'),
    steps,
    deadlineMs: 60_000,
  };
}
