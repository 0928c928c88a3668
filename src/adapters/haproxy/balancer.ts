// The Balancer port: either site's HAProxy by its statistics, the local one by its runtime socket.

import { readFileSync } from 'node:fs';
import type { BalancerReport } from '../../core/observe/observation.ts';
import type { Site } from '../../core/site.ts';
import type { Balancer } from '../../ports/hosts.ts';
import type { HttpGet } from '../../ports/http-get.ts';
import { setServerState } from './runtime-socket.ts';
import { parseStatistics } from './statistics.ts';

export type BalancerOptions = {
  /** IP addresses of the service hosts. */
  readonly addresses: Readonly<Record<Site, string>>;
  readonly statistics: {
    readonly port: number;
    readonly path: string;
    readonly user: string;
    /** One line; read at each probe, so that the password can be changed without a restart. */
    readonly passwordFile: string;
  };
  readonly backend: string;
  /** Runtime socket of the local HAProxy. */
  readonly socket: string;
};

const maxBytes = 512 * 1024;

export function createBalancer(options: BalancerOptions, get: HttpGet): Balancer {
  const { addresses, statistics, backend, socket } = options;
  return {
    probe: async (site, deadlineMs) => {
      let password: string;
      try {
        password = (readFileSync(statistics.passwordFile, 'utf8').split('\n')[0] ?? '').trimEnd();
      } catch {
        return report('auth', `${statistics.passwordFile} cannot be read`);
      }
      const { port, path, user } = statistics;
      const address = addresses[site];
      const login = { user, password };
      const answer = await get({ address, port, path: `${path};csv`, login, maxBytes, deadlineMs });
      if (answer.kind === 'none') return report(answer.class, answer.detail);
      if (answer.status === 401 || answer.status === 403) return report('auth', `status ${answer.status}`);
      const servers = answer.status === 200 ? parseStatistics(answer.body, backend) : null;
      if (servers === null) return report('protocol', `status ${answer.status}, no statistics`);
      return { class: 'ok', detail: '', servers };
    },
    set: (server, state, deadlineMs) => setServerState(socket, `${backend}/${server}`, state, deadlineMs),
  };
}

function report(problem: BalancerReport['class'], detail: string): BalancerReport {
  return { class: problem, detail, servers: [] };
}
