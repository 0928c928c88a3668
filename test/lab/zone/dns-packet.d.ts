// The part of dns-packet that the lab uses; the package brings no types of its own.
declare module 'dns-packet' {
  export type Question = { type: string; name: string; class?: string };
  export type SoaData = {
    mname: string;
    rname: string;
    serial: number;
    refresh: number;
    retry: number;
    expire: number;
    minimum: number;
  };
  export type Answer = { type: string; name: string; class?: string; ttl?: number; data?: unknown };
  export type Opt = { type: 'OPT'; name: '.'; udpPayloadSize: number; flags: number; options: readonly unknown[] };
  export type Packet = {
    type?: 'query' | 'response';
    id?: number;
    flags?: number;
    opcode?: string;
    rcode?: string;
    questions?: Question[];
    answers?: (Answer | Opt)[];
    authorities?: Answer[];
    additionals?: (Answer | Opt)[];
  };
  export const AUTHORITATIVE_ANSWER: number;
  export const TRUNCATED_RESPONSE: number;
  export const RECURSION_DESIRED: number;
  export function encode(packet: Packet): Buffer;
  export function decode(bytes: Buffer): Packet;
}
