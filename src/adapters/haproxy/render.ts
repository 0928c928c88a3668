// haproxy.cfg for a service host. Both sites' files are the same, so either entry serves from all instances (origin.md).
// haproxy/haproxy.cfg is this function's output for the default topology; a test keeps the two in step.

import type { ClusterConfig } from '../../config/cluster.ts';
import { serverName } from '../../config/settings.ts';

export type HaproxyRendering = {
  /** The statistics password itself, or the name of the environment variable that HAProxy finds it in. */
  readonly password:
    | { readonly kind: 'value'; readonly value: string }
    | { readonly kind: 'environment'; readonly name: string };
  /** HAProxy gives up root for these; null where it runs as an ordinary user from the start. */
  readonly account: { readonly user: string; readonly group: string } | null;
  /** Threads; as many as there are CPUs when absent. */
  readonly threads?: number;
};

/** Throws a RangeError for what cannot be written into the file. */
export function renderHaproxy(config: ClusterConfig, rendering: HaproxyRendering): string {
  return `${[...globalSection(config, rendering), ...defaultsSection(), ...statisticsSection(config, rendering), ...serviceSection(config)].join('\n')}\n`;
}

function globalSection({ haproxy }: ClusterConfig, { account, threads }: HaproxyRendering): readonly string[] {
  const rights = account === null ? 'mode 660' : `mode 660 user ${word(account.user)} group ${word(account.group)}`;
  return [
    '# HAProxy of a service host, for HAProxy 2.6 and later: the service, its statistics, and the runtime socket by which',
    "# siteward's local agent drains instances that serve from another database than the primary. Written by",
    '# `siteward haproxy render`; addresses only, so nothing is resolved at run time.',
    '',
    'global',
    '  log stdout format raw daemon',
    ...(account === null ? [] : [`  user ${word(account.user)}`, `  group ${word(account.group)}`]),
    `  stats socket ${word(haproxy.socket)} ${rights} level admin`,
    '  stats timeout 10s',
    '  maxconn 4000',
    ...(threads === undefined ? [] : [`  nbthread ${threads}`]),
    // A request is kept whole until it is answered, so that it can be sent once more (retry-on).
    '  tune.bufsize 32768',
  ];
}

function defaultsSection(): readonly string[] {
  return [
    '',
    'defaults',
    '  mode http',
    '  log global',
    '  option dontlognull',
    '  # Only what went wrong; the application has the access log.',
    '  option dontlog-normal',
    '  option httplog',
    '  # An instance holds a request for up to 15 s (HOLD_MS) while the database moves, then answers 503 itself.',
    '  timeout server 20s',
    '  timeout client 25s',
    '  # A host that lost its power answers nothing: another instance is tried after this.',
    '  timeout connect 1s',
    '  timeout check 1500ms',
    '  timeout queue 5s',
    '  timeout http-request 5s',
    '  timeout http-keep-alive 15s',
  ];
}

function statisticsSection({ haproxy }: ClusterConfig, rendering: HaproxyRendering): readonly string[] {
  const { port, path, user } = haproxy.statistics;
  return [
    '',
    'userlist statistics',
    `  user ${quote(user)} insecure-password ${passwordWord(rendering.password)}`,
    '',
    'frontend statistics',
    `  bind :${port}`,
    '  maxconn 50',
    '  stats enable',
    `  stats uri ${word(path)}`,
    '  stats http-request auth realm statistics unless { http_auth(statistics) }',
    `  http-request deny deny_status 404 unless { path_beg ${word(path)} }`,
  ];
}

function serviceSection(config: ClusterConfig): readonly string[] {
  const { haproxy, applications } = config;
  const servers = (['site1', 'site2'] as const).flatMap((site) => {
    const { address, instances } = config.sites[site].application;
    return instances.map((port) => `  server ${word(serverName(config, site, port))} ${word(address)}:${port}`);
  });
  return [
    '',
    'frontend service',
    `  bind :${haproxy.servicePort}`,
    '  maxconn 2000',
    '  option forwardfor',
    `  default_backend ${word(haproxy.backend)}`,
    '',
    `backend ${word(haproxy.backend)}`,
    '  balance roundrobin',
    '  option httpchk',
    `  http-check send meth GET uri ${word(applications.readyPath)} ver HTTP/1.1 hdr Host haproxy`,
    '  http-check expect status 200',
    '  # A request is sent again, to another instance, when no connection was made, or when it ended without a byte of an',
    '  # answer: an instance that stopped, or closed an idle connection just then. Doing that to PUT and POST is right',
    '  # here because they are upserts of the same value. A time-out is no such case: the instance may still be at it.',
    '  retries 3',
    '  retry-on conn-failure empty-response',
    '  option redispatch 1',
    '  http-error status 503 content-type application/json string \'{"error":"no instance of the service is ready"}\' hdr Retry-After 1',
    '  # A request that an instance has, and does not answer, stays there until `timeout server`, even when the instance is',
    '  # marked down (no shutdown-sessions: that would send it again). An instance cut off with a held request could',
    '  # else carry it out after the heal, over a newer value that was written meanwhile. nolinger likewise: what was not',
    '  # sent when a connection is given up shall not arrive later; abortonclose: who no longer waits wants no write.',
    '  option nolinger',
    '  option abortonclose',
    '  # Two checks in a row, of 1.5 s at most: a busy instance is slow, and with all marked down HAProxy answers 503.',
    '  default-server check inter 500ms fastinter 250ms downinter 500ms fall 2 rise 1',
    ...servers,
  ];
}

function passwordWord(password: HaproxyRendering['password']): string {
  if (password.kind === 'value') return quote(password.value);
  if (!/^[A-Z_][A-Z0-9_]*$/.test(password.name)) throw new RangeError(`no name of a variable: ${password.name}`);
  return `"\${${password.name}}"`;
}

/** Everything is literal between single quotes but the single quote, which is written between two such strings. */
function quote(text: string): string {
  if (!/^[\x20-\x7e]+$/.test(text))
    throw new RangeError('only printable ASCII can be written to haproxy.cfg, and not nothing');
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function word(text: string): string {
  if (!/^[\w./:@+-]+$/.test(text)) throw new RangeError(`cannot be written to haproxy.cfg: ${JSON.stringify(text)}`);
  return text;
}
