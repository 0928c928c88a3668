// The library set up for one try and one deadline: retries are the core's business (W2).

import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
  type RRType,
} from '@aws-sdk/client-route-53';
import { done, type Outcome, rejected, unknown } from '../../core/outcome.ts';
import type { Ms } from '../../core/time.ts';
import { readCredentials } from './credentials.ts';
import { type Route53Code, toOutcome } from './errors.ts';

export type Route53Options = {
  readonly hostedZoneId: string;
  /** Full name of the record. */
  readonly name: string;
  readonly ttlSeconds: number;
  readonly endpoint?: string | undefined;
  /** AWS shared credentials file; without it the library's default chain, which ends at the instance role. */
  readonly credentialsFile?: string | undefined;
};

export type Zone = {
  /** The record set of exactly this type at the configured name. */
  list(type: RRType, deadlineMs: Ms): Promise<Outcome<ResourceRecordSet | null>>;
  /** One atomic batch; gives the id of the change. */
  change(changes: Change[], comment: string, deadlineMs: Ms): Promise<Outcome<string>>;
  /** Whether all authoritative servers answer by the change. */
  inSync(changeId: string, deadlineMs: Ms): Promise<Outcome<boolean>>;
  close(): void;
};

/** Route 53 is one global service; every request to it is signed for this region. */
const signingRegion = 'us-east-1';
/** A connection that lay idle longer is closed here, before the other side closes it under a request. */
const idleConnectionMs: Ms = 5000;
const connectMs: Ms = 1000;

export function refuse(code: Route53Code, detail: string): Outcome<never> {
  return rejected(code, detail);
}

/** With a final dot, in lower case: the form in which the API gives names back. */
function normal(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

function createClient({ endpoint, credentialsFile }: Route53Options): Route53Client {
  const agent = { keepAlive: true, timeout: idleConnectionMs };
  return new Route53Client({
    region: signingRegion,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: connectMs, httpAgent: agent, httpsAgent: agent },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentialsFile === undefined ? {} : { credentials: () => readCredentials(credentialsFile) }),
  });
}

/**
 * Runs one request until its deadline. The race covers what the library's signal does not: looking for credentials. What
 * it was doing then ends by the same signal.
 */
async function withDeadline<T>(deadlineMs: Ms, run: (signal: AbortSignal) => Promise<T>): Promise<Outcome<T>> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome<T>>((resolve) => {
    timer = setTimeout(() => {
      resolve(unknown(`no answer within ${deadlineMs} ms`));
      abort.abort();
    }, deadlineMs);
  });
  try {
    return await Promise.race([run(abort.signal).then(done, toOutcome), late]);
  } finally {
    clearTimeout(timer);
  }
}

export function openZone(options: Route53Options): Zone {
  const client = createClient(options);
  const name = normal(options.name);
  const zoneId = options.hostedZoneId;
  return {
    list: (type, deadlineMs) =>
      withDeadline(deadlineMs, async (abortSignal) => {
        const start = { HostedZoneId: zoneId, StartRecordName: name, StartRecordType: type, MaxItems: 1 };
        const page = await client.send(new ListResourceRecordSetsCommand(start), { abortSignal });
        const set = page.ResourceRecordSets?.[0];
        return set?.Type === type && normal(set.Name ?? '') === name ? set : null;
      }),
    change: (changes, comment, deadlineMs) =>
      withDeadline(deadlineMs, async (abortSignal) => {
        const batch = { HostedZoneId: zoneId, ChangeBatch: { Comment: comment.slice(0, 256), Changes: changes } };
        const answer = await client.send(new ChangeResourceRecordSetsCommand(batch), { abortSignal });
        return answer.ChangeInfo?.Id?.replace(/^\/change\//, '') ?? '';
      }),
    inSync: (changeId, deadlineMs) =>
      withDeadline(deadlineMs, async (abortSignal) => {
        const answer = await client.send(new GetChangeCommand({ Id: changeId }), { abortSignal });
        return answer.ChangeInfo?.Status === 'INSYNC';
      }),
    close: () => client.destroy(),
  };
}
