/** One line a state transition, as it happens, out of the daemons' logs. */
import type { LabEvent } from '../../lab/src/events.ts';
import { followEvents } from '../../lab/src/events.ts';
import type { Lab } from '../../lab/src/lab.ts';

/** With the fields that say which. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  'record.chosen': ['epoch', 'primary', 'entry', 'mode', 'sync', 'ballot', 'reason'],
  'round.begun': ['intent', 'ballot', 'received', 'lagBytes', 'seenAgoMs'],
  'grants.refused': ['epoch'],
  'lease.acquired': ['epoch', 'how'],
  'lease.lost': ['epoch', 'why'],
  'lease.released': ['epoch', 'gone', 'position'],
  'failsafe.renewed': ['epoch'],
  'fence.begun': ['epoch', 'cause'],
  'database.crashed': ['epoch', 'why'],
  'database.stopped': ['by'],
  'database.promoting': ['epoch'],
  'database.writable': ['epoch'],
  'database.writable-without-lease': ['epoch'],
  'decide.act': ['code', 'sentence'],
  'dns.moved': ['entry', 'address'],
  'voters.silent': [],
  'voter.amnesia': [],
  'voter.forgot': ['voter'],
  'register.out': ['why'],
  'state.damaged': [],
  'process.fatal': ['why'],
  'order.ended': ['outcome', 'why'],
};

export class Narrator {
  readonly #stop = new AbortController();
  readonly #told = new Set<string>();
  readonly #say: (text: string) => void;
  readonly #done: Promise<void>;

  constructor(lab: Lab, say: (text: string) => void) {
    this.#say = say;
    this.#done = this.#follow(lab);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #follow(lab: Lab): Promise<void> {
    for await (const event of followEvents(lab.paths, this.#stop.signal)) {
      const line = this.#lineOf(event);
      if (line !== undefined) this.#say(line);
    }
  }

  /** A record is told by the first who knows it. */
  #lineOf({ event, host, fields }: LabEvent): string | undefined {
    const names = TOLD[event];
    if (names === undefined) return undefined;
    if (event === 'record.chosen') {
      const ballot = String(fields['ballot']);
      if (this.#told.has(ballot)) return undefined;
      this.#told.add(ballot);
    }
    const said = names.filter((name) => fields[name] !== undefined && fields[name] !== null);
    return `  ${host.padEnd(9)} ${event} ${said.map((name) => `${name}=${String(fields[name])}`).join(' ')}`.trimEnd();
  }
}
