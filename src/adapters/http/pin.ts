// Identity: the SHA-256 of the peer's public key (SubjectPublicKeyInfo, DER) in base64. Names, issuers and dates of a
// certificate count for nothing: nothing expires that could stop a database.

import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export function pinOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

/** The pin of a certificate, a private key or a public key in PEM; throws when it is none of them. */
export function pinOfPem(pem: string | Buffer): string {
  return pinOf(createPublicKey(pem));
}

/** The pin of the key that the other side of a finished handshake has proved to hold; null when it showed none. */
export function pinOfPeer(socket: TLSSocket): string | null {
  try {
    const certificate = socket.getPeerX509Certificate();
    return certificate === undefined ? null : pinOf(certificate.publicKey);
  } catch {
    // A stranger's certificate is bytes like any other: a key of a kind that cannot be read is nobody's.
    return null;
  }
}
