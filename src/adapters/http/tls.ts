// What both ends of a peer connection have in common. `rejectUnauthorized` is off because its verdict is about issuers
// and dates and would refuse, or worse accept, for reasons that are not ours: the pin alone decides (pin.ts).

/** A process's own key and self-signed certificate, both PEM. */
export type Identity = { readonly key: string; readonly certificate: string };

export function tlsOptions(identity: Identity) {
  return {
    key: identity.key,
    cert: identity.certificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    rejectUnauthorized: false,
  } as const;
}
