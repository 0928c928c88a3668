// An authoritative DNS server over UDP and TCP that answers from what is INSYNC.

import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import * as dnsPacket from 'dns-packet';
import { setKey } from './batch.ts';
import { isWithin, normalName } from './names.ts';
import { answerData, type RecordSet } from './records.ts';
import type { Zone, ZoneStore } from './store.ts';

const plainUdpMax = 512;
const ednsUdpMax = 1232;
const tcpIdleMs = 10_000;
const cnameHopsMax = 8;
const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof rcodes;

function toAnswers(set: RecordSet, name: string): dnsPacket.Answer[] {
  return set.values.map((value) => ({ type: set.type, name, ttl: set.ttl, data: answerData(set.type, value) }));
}

/** The SOA that says for how long "no" may be remembered: the lower of its TTL and its minimum (RFC 2308). */
function negative(zone: Zone): dnsPacket.Answer[] {
  const set = zone.published.get(setKey(zone.name, 'SOA'));
  if (set === undefined) return [];
  return toAnswers(set, zone.name.replace(/\.$/, '')).map((answer) => ({
    ...answer,
    ttl: Math.min(set.ttl, (answer.data as dnsPacket.SoaData).minimum),
  }));
}

type Resolved = {
  readonly rcode: Rcode;
  readonly answers: dnsPacket.Answer[];
  readonly authorities: dnsPacket.Answer[];
};

function resolve(store: ZoneStore, question: dnsPacket.Question): Resolved {
  const asked = normalName(question.name);
  const zones = [...store.zones.values()].filter((zone) => isWithin(asked, zone.name));
  const zone = zones.sort((a, b) => b.name.length - a.name.length)[0];
  if (zone === undefined) return { rcode: 'REFUSED', answers: [], authorities: [] };
  const answers: dnsPacket.Answer[] = [];
  // The name is answered as it was asked, upper and lower case included.
  let label = question.name;
  for (let hop = 0; hop <= cnameHopsMax; hop += 1) {
    const name = normalName(label);
    const sets = [...zone.published.values()].filter((set) => set.name === name);
    const wanted = sets.filter((set) => question.type === 'ANY' || set.type === question.type);
    if (wanted.length > 0) {
      answers.push(...wanted.flatMap((set) => toAnswers(set, label)));
      return { rcode: 'NOERROR', answers, authorities: [] };
    }
    const cname = sets.find((set) => set.type === 'CNAME');
    const target = cname?.values[0];
    if (cname === undefined || target === undefined) {
      const below = [...zone.published.values()].some((set) => set.name.endsWith(`.${name}`));
      const exists = sets.length > 0 || below;
      return { rcode: exists ? 'NOERROR' : 'NXDOMAIN', answers, authorities: negative(zone) };
    }
    answers.push(...toAnswers(cname, label));
    label = target.replace(/\.$/, '');
    if (!isWithin(normalName(label), zone.name)) return { rcode: 'NOERROR', answers, authorities: [] };
  }
  return { rcode: 'SERVFAIL', answers: [], authorities: [] };
}

/** The answer to one message, or null for what is no query. */
export function respond(store: ZoneStore, message: Buffer, transport: 'udp' | 'tcp'): Buffer | null {
  let query: dnsPacket.Packet;
  try {
    query = dnsPacket.decode(message);
  } catch {
    return null;
  }
  if (query.type !== 'query') return null;
  store.settle(Date.now());
  const question = query.questions?.[0];
  const opt = query.additionals?.find((record) => record.type === 'OPT') as dnsPacket.Opt | undefined;
  const reply = (resolved: Resolved, flags: number): Buffer =>
    dnsPacket.encode({
      type: 'response',
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: ((query.flags ?? 0) & dnsPacket.RECURSION_DESIRED) | flags | rcodes[resolved.rcode],
      questions: query.questions ?? [],
      answers: resolved.answers,
      authorities: resolved.authorities,
      additionals: opt ? [{ type: 'OPT', name: '.', udpPayloadSize: ednsUdpMax, flags: 0, options: [] }] : [],
    });
  const refusal = (rcode: Rcode) => reply({ rcode, answers: [], authorities: [] }, 0);
  if (query.opcode !== 'QUERY') return refusal('NOTIMP');
  if (question === undefined || query.questions?.length !== 1) return refusal('FORMERR');
  const resolved = resolve(store, question);
  if (resolved.rcode === 'REFUSED') return refusal('REFUSED');
  const bytes = reply(resolved, dnsPacket.AUTHORITATIVE_ANSWER);
  const room = opt ? Math.max(plainUdpMax, Math.min(ednsUdpMax, opt.udpPayloadSize)) : plainUdpMax;
  if (transport === 'tcp' || bytes.length <= room) return bytes;
  const empty = { ...resolved, answers: [], authorities: [] };
  return reply(empty, dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.TRUNCATED_RESPONSE);
}

function serveTcp(store: ZoneStore): Server {
  return createServer((socket) => {
    let pending: Buffer = Buffer.alloc(0);
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const bytes = respond(store, pending.subarray(2, end), 'tcp');
        pending = pending.subarray(end);
        if (bytes === null) return void socket.destroy();
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        socket.write(Buffer.concat([length, bytes]));
      }
    });
  });
}

function bindUdp(store: ZoneStore, host: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const bytes = respond(store, message, 'udp');
    if (bytes !== null) socket.send(bytes, from.port, from.address);
  });
  return new Promise((done, fail) => {
    socket.once('error', fail);
    socket.bind(port, host, () => {
      socket.off('error', fail);
      // An answer that cannot be delivered is the asker's loss; the server goes on.
      socket.on('error', () => undefined);
      done(socket);
    });
  });
}

/** Serves both transports on one port; with port 0 the one that TCP was given. */
export async function serveDns(store: ZoneStore, host: string, port: number): Promise<{ port: number; close(): void }> {
  const tcp = serveTcp(store);
  await new Promise<void>((done, fail) => {
    tcp.once('error', fail);
    tcp.listen(port, host, done);
  });
  const bound = (tcp.address() as { port: number }).port;
  const udp = await bindUdp(store, host, bound);
  const close = () => {
    tcp.close();
    udp.close();
  };
  return { port: bound, close };
}
