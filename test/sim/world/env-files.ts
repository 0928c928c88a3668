// The files of an application host: two staged .env files, the active one, a temporary one while it is replaced, and
// the forced command's note. What was renamed but not yet synced may be undone by a power loss.

import { checkToken, type Note } from '../../../src/cli/host/note.ts';
import { Refusal } from '../../../src/cli/host/refusal.ts';
import type { ClusterConfig } from '../../../src/config/cluster.ts';
import { formatEnvLine, getEnvValue, parseEnvFile } from '../../../src/core/envfile/env-file.ts';
import type { EnvReport, Token } from '../../../src/core/observe/observation.ts';
import { type Site, sites } from '../../../src/core/site.ts';
import type { Random } from '../engine/random.ts';

export class EnvFiles {
  readonly staged: Record<Site, string>;
  /** What the name `.env` holds now. */
  active: string;
  temporary: string | null = null;
  note: Note = { token: null, primary: null, reloadDue: false };
  /** Negative control: the file is written where it lies, in two halves. */
  inPlace = false;
  /** What a power loss would leave. */
  #durable: string;

  constructor(config: ClusterConfig, active: Site) {
    this.staged = { site1: envText(config, 'site1'), site2: envText(config, 'site2') };
    this.active = this.staged[active];
    this.#durable = this.active;
  }

  /** I8: the active file is one of the complete versions. */
  get complete(): boolean {
    return sites.some((site) => this.staged[site] === this.active);
  }

  report(): EnvReport {
    const { note, staged } = this;
    const named = sites.find((site) => staged[site] === this.active) ?? null;
    return { active: note.reloadDue ? null : named, staged: sites, token: note.token };
  }

  /** Throws a Refusal; the note is durable before anything is done by it (R1). */
  noteSwitch(token: Token, primary: Site): void {
    checkToken(this.note, token, primary);
    if (this.staged[primary] === '') throw new Refusal('not-staged', `no usable ${primary}.env`);
    this.note = { token, primary, reloadDue: true };
  }

  writeTemporary(primary: Site): void {
    const content = this.staged[primary];
    const half = content.slice(0, content.length >> 1);
    if (this.inPlace && this.active !== content) this.active = this.#durable = half;
    else this.temporary = half;
  }

  rename(primary: Site): void {
    this.active = this.staged[primary];
    this.temporary = null;
    if (this.inPlace) this.#durable = this.active;
  }

  sync(): void {
    this.#durable = this.active;
  }

  noteReloaded(): void {
    this.note = { ...this.note, reloadDue: false };
  }

  powerLost(random: Random): void {
    if (random.ratio(1, 2)) this.active = this.#durable;
    else this.#durable = this.active;
    if (random.ratio(1, 2)) this.temporary = null;
  }
}

/** A staged file as it is deployed. */
export function envText(config: ClusterConfig, site: Site): string {
  const { address, port } = config.sites[site].database;
  const values: readonly (readonly [string, string])[] = [
    ['SECRET_KEY', 'b1rthday secret'],
    ['dbhost', address],
    ['dbport', String(port)],
    ['dbname', config.database.name],
    ['dbuser', 'dbuser'],
    ['dbpass', `it's ${site}`],
    ['dbappname', 'birthday'],
  ];
  return `# ${site}\n${values.map(([key, value]) => formatEnvLine(key, value) ?? '').join('')}`;
}

const required = ['dbhost', 'dbport', 'dbname', 'dbuser', 'dbpass'] as const;

/** As the application reads it: `address:port` of its database; null for a file that it refuses. */
export function databaseIn(text: string): string | null {
  const file = parseEnvFile(text);
  if (required.some((key) => !getEnvValue(file, key))) return null;
  return `${getEnvValue(file, 'dbhost')}:${getEnvValue(file, 'dbport')}`;
}
