// One kept-open SSH connection to one host. One order at a time, so that answers cannot be mixed; made anew when an
// order finds it gone, and thrown away whenever an order did not end in order.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { done, type Outcome, type Rejected, rejected, unknown } from '../../core/outcome.ts';
import { connectOutcome, describe, wasNotStarted } from './outcomes.ts';

export type SshTarget = {
  /** An IP address: reaching a host must not depend on DNS. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Read at each connection, so that a key can be rotated without a restart. */
  readonly keyFile: string;
  /** `SHA256:` and 43 characters of base64, as `ssh-keygen -lf` prints it. */
  readonly hostKeys: readonly string[];
  /** A quiet connection is asked for a sign of life this often, and given up after three without. */
  readonly keepaliveMs: number;
};

const maxOutput = 64 * 1024;
const maxErrorOutput = 2048;
const maxWaiting = 8;

/** Nothing older than OpenSSH 7 (2015); no NIST key exchange, no CBC, no SHA-1. */
const algorithms: NonNullable<ConnectConfig['algorithms']> = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  serverHostKey: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'],
  cipher: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
};

export class SshConnection {
  readonly #target: SshTarget;
  #client: Client | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(target: SshTarget) {
    this.#target = target;
  }

  /** Runs `command` with `input` as its standard input; the value is its whole standard output. */
  run(command: string, input: Buffer | null, deadlineMs: number): Promise<Outcome<string>> {
    return this.#inTurn(deadlineMs, async (until) => {
      const client = await this.#connected(until);
      return client instanceof Client ? this.#execute(client, command, input, until) : client;
    });
  }

  /** Only makes sure that there is a connection: name, key and account are right. */
  reach(deadlineMs: number): Promise<Outcome<void>> {
    return this.#inTurn(deadlineMs, async (until) => {
      const client = await this.#connected(until);
      return client instanceof Client ? done(undefined) : client;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#drop();
    await this.#queue;
  }

  /** Resolves at the deadline at the latest; what has not begun by then never begins. */
  #inTurn<T>(deadlineMs: number, action: (until: number) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    if (this.#closed) return Promise.resolve(rejected('closed', 'the connection was closed'));
    if (this.#waiting >= maxWaiting) return Promise.resolve(rejected('busy', `${maxWaiting} orders wait already`));
    const until = performance.now() + deadlineMs;
    this.#waiting += 1;
    return new Promise((resolve) => {
      let begun = false;
      const tooLate = setTimeout(() => {
        if (!begun) resolve(rejected('busy', `an order before it took all of its ${deadlineMs} ms`));
      }, deadlineMs);
      const turn = async () => {
        this.#waiting -= 1;
        if (performance.now() >= until) return;
        begun = true;
        clearTimeout(tooLate);
        resolve(await action(until));
      };
      this.#queue = this.#queue.then(turn).catch((error: unknown) => resolve(unknown(describe(error))));
    });
  }

  #drop(): void {
    this.#client?.destroy();
    this.#client = null;
  }

  #connected(until: number): Promise<Client | Rejected> {
    if (this.#closed) return Promise.resolve(rejected('closed', 'the connection was closed'));
    return this.#client === null ? this.#connect(until) : Promise.resolve(this.#client);
  }

  #connect(until: number): Promise<Client | Rejected> {
    const { address, port, user, keyFile, hostKeys, keepaliveMs } = this.#target;
    let privateKey: Buffer;
    try {
      privateKey = readFileSync(keyFile);
    } catch (error) {
      return Promise.resolve(rejected('key-file', describe(error)));
    }
    return new Promise((resolve) => {
      const client = new Client();
      let shown: string | null = null;
      const fail = (outcome: Rejected) => {
        clearTimeout(timer);
        if (this.#client === client) this.#client = null;
        client.destroy();
        resolve(outcome);
      };
      const left = Math.max(1, until - performance.now());
      const timer = setTimeout(
        () => fail(rejected('unreachable', `no connection within ${Math.round(left)} ms`)),
        left,
      );
      client.on('error', (error) => fail(connectOutcome(error, shown)));
      client.on('close', () => fail(rejected('unreachable', 'the host closed the connection')));
      client.on('ready', () => {
        clearTimeout(timer);
        // The time was up, or close() came, while the last bytes were on their way.
        if (this.#closed) return fail(rejected('closed', 'the connection was closed'));
        this.#client = client;
        resolve(client);
      });
      try {
        client.connect({
          host: address,
          port,
          username: user,
          privateKey,
          authHandler: ['publickey'],
          // The connection's own timer rules; ssh2's default of 20 s would only outlive it.
          readyTimeout: 0,
          keepaliveInterval: keepaliveMs,
          keepaliveCountMax: 3,
          algorithms,
          hostVerifier: (key: Buffer) => {
            const fingerprint = fingerprintOf(key);
            if (hostKeys.includes(fingerprint)) return true;
            shown = fingerprint;
            return false;
          },
        });
      } catch (error) {
        // ssh2 reads the key here.
        fail(rejected('key-file', describe(error)));
      }
    });
  }

  #execute(client: Client, command: string, input: Buffer | null, until: number): Promise<Outcome<string>> {
    return new Promise((resolve) => {
      let answered = false;
      const settle = (outcome: Outcome<string>) => {
        if (answered) return;
        answered = true;
        clearTimeout(timer);
        client.off('close', lost);
        // A session that may still say something must not be there when the next one begins.
        if (outcome.kind === 'unknown') this.#drop();
        resolve(outcome);
      };
      const lost = () => settle(unknown('the connection was lost before the answer'));
      const timer = setTimeout(() => settle(unknown('no answer in time')), Math.max(1, until - performance.now()));
      client.on('close', lost);
      try {
        client.exec(command, (error, channel) => {
          if (error) {
            settle(wasNotStarted(error) ? rejected('not-started', describe(error)) : unknown(describe(error)));
          } else {
            collect(channel, input, settle);
          }
        });
      } catch (error) {
        // Thrown where ssh2 has no connection any more: nothing was sent.
        this.#drop();
        settle(rejected('unreachable', describe(error)));
      }
    });
  }
}

/** `SHA256:` and the base64 of the hash of the key blob, without padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function collect(channel: ClientChannel, input: Buffer | null, settle: (outcome: Outcome<string>) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let complaint = '';
  channel.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxOutput) settle(unknown(`more than ${maxOutput} bytes of answer`));
    else chunks.push(chunk);
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < maxErrorOutput) complaint += chunk.toString('utf8');
  });
  channel.on('error', (error: Error) => settle(unknown(describe(error))));
  channel.on('close', () => {
    const text = Buffer.concat(chunks).toString('utf8');
    if (text !== '') settle(done(text));
    else settle(unknown(`the command answered nothing: ${complaint.slice(0, maxErrorOutput).trim() || 'no word'}`));
  });
  channel.end(input ?? undefined);
}
