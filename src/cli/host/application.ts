// The forced command's work on an application host: read, stage and switch the .env, reload the instances.

import { dirname, join } from 'node:path';
import { getEnvValue, malformedLines, parseEnvFile } from '../../core/envfile/env-file.ts';
import type { EnvReport, Token } from '../../core/observe/observation.ts';
import { type Site, sites } from '../../core/site.ts';
import { type Owner, ownerByDirectory, type ReplaceStep, readSmallFile, replaceFile, syncDirectory } from './files.ts';
import { checkToken, loadNote, type Note, saveNote } from './note.ts';
import { errorCode, Refusal, refusalFor } from './refusal.ts';
import { type Reload, reloadInstances } from './reload.ts';

export type ApplicationHost = {
  /** Holds site1.env, site2.env and the active file. Instances must be given the directory, not the file: it is replaced. */
  readonly directory: string;
  readonly envFile: string;
  /** Of this command alone: the note of the highest token. */
  readonly stateDirectory: string;
  readonly reload: Reload;
  readonly reloadDeadlineMs: number;
};

export type SwitchStep = 'token-noted' | ReplaceStep | 'reloaded' | 'reload-noted';

export function notePath(host: ApplicationHost): string {
  return join(host.stateDirectory, 'application.json');
}

/**
 * What the agent compares with the record. While a reload is due - the command was stopped between replacing the file
 * and telling the instances - `active` is null, so that the agent, which acts on differences, switches again.
 */
export function readEnv(host: ApplicationHost): EnvReport {
  const note = loadNote(notePath(host));
  const active = readOrRefuse(join(host.directory, host.envFile), 'failed')?.content;
  const staged = sites.flatMap((site) => {
    const content = stagedContent(host, site);
    return content === null ? [] : [{ site, content }];
  });
  const same = active && staged.filter((each) => each.content.equals(active)).map((each) => each.site);
  // Two equal staged files are a mistake of deployment; then the one that was asked for counts.
  const named = same?.find((site) => site === note.primary) ?? same?.[0] ?? null;
  return { active: note.reloadDue ? null : named, staged: staged.map((each) => each.site), token: note.token };
}

/** The caller holds the lock. Any part of it may be repeated. */
export async function switchEnv(
  host: ApplicationHost,
  primary: Site,
  token: Token,
  passed: (step: SwitchStep) => void = () => {},
): Promise<number> {
  const note = loadNote(notePath(host));
  checkToken(note, token, primary);
  const content = stagedContent(host, primary);
  if (content === null) throw new Refusal('not-staged', `no usable ${primary}.env in ${host.directory}`);

  const next: Note = { token, primary, reloadDue: true };
  saveNote(notePath(host), next);
  passed('token-noted');
  replaceWhereDifferent(join(host.directory, host.envFile), content, stagedOwner(host, primary), passed);
  // Also without a difference: who asks again has seen an instance that does not serve from this file.
  const reloaded = await reloadInstances(host.reload, host.reloadDeadlineMs);
  passed('reloaded');
  saveNote(notePath(host), { ...next, reloadDue: false });
  passed('reload-noted');
  return reloaded;
}

/** Puts a new staged file in place. Not the active one: that takes a token. */
export function stageEnv(host: ApplicationHost, site: Site, content: Buffer): void {
  checkEnv(content);
  const path = stagedPath(host, site);
  const owner = readOrRefuse(join(host.directory, host.envFile), 'failed') ?? ownerByDirectory(host.directory);
  replaceWhereDifferent(path, content, owner, () => {});
}

export async function reloadEnv(host: ApplicationHost): Promise<number> {
  const note = loadNote(notePath(host));
  const reloaded = await reloadInstances(host.reload, host.reloadDeadlineMs);
  if (note.reloadDue) saveNote(notePath(host), { ...note, reloadDue: false });
  return reloaded;
}

/** Keeps owner and mode of the file that is there; `owner` is for a first one. */
function replaceWhereDifferent(path: string, content: Buffer, owner: Owner, passed: (step: ReplaceStep) => void): void {
  const old = readOrRefuse(path, 'write-failed');
  try {
    if (old?.content.equals(content)) {
      // Renamed by an order that was stopped before this, perhaps: then it is not durable yet.
      syncDirectory(dirname(path));
      return;
    }
    replaceFile(path, content, old ?? owner, passed);
  } catch (error) {
    throw refusalFor(error, 'write-failed', `replacing ${path}`);
  }
}

function stagedPath(host: ApplicationHost, site: Site): string {
  return join(host.directory, `${site}.env`);
}

/**
 * Null unless there is a file that an instance could live on. Strictness belongs to `stage` and the scheduled checks:
 * at the moment of a failover a stray line is no reason to leave the instances on a dead database.
 */
function stagedContent(host: ApplicationHost, site: Site): Buffer | null {
  try {
    const file = readSmallFile(stagedPath(host, site));
    if (file === null || !parseEnvFile(file.content.toString('utf8')).lines.some((line) => line.kind === 'entry')) {
      return null;
    }
    return file.content;
  } catch (error) {
    // A link, a directory, too large: not staged. The system's own refusals are to be told from that.
    if (errorCode(error) === 'unknown error' || errorCode(error) === 'ELOOP') return null;
    throw refusalFor(error, 'not-staged', `reading ${stagedPath(host, site)}`);
  }
}

function stagedOwner(host: ApplicationHost, site: Site): Owner {
  return readSmallFile(stagedPath(host, site)) ?? ownerByDirectory(host.directory);
}

function readOrRefuse(path: string, code: 'failed' | 'write-failed') {
  try {
    return readSmallFile(path);
  } catch (error) {
    throw refusalFor(error, code, `reading ${path}`);
  }
}

function checkEnv(content: Buffer): void {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new Refusal('invalid-env', 'not UTF-8');
  }
  const file = parseEnvFile(text);
  const malformed = malformedLines(file);
  if (text.includes('\0')) throw new Refusal('invalid-env', 'holds a NUL character');
  if (malformed.length > 0) throw new Refusal('invalid-env', `malformed line ${malformed.slice(0, 5).join(', ')}`);
  if (!getEnvValue(file, 'dbhost')) throw new Refusal('invalid-env', 'dbhost is missing');
}
