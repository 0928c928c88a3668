// Identity: the SHA-256 of the peer's public key (SubjectPublicKeyInfo, DER) in base64. Names, issuers and dates of a
// certificate count for nothing: nothing expires that could stop a database.

import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export function pinOf(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** The pin of the key that the other side of a finished handshake has proved to hold; null when it showed none. */
export function pinOfPeer(socket: TLSSocket): string | null {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : pinOf(certificate);
}
