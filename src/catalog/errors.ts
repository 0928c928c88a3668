/**
 * Every error and alert an operator can meet. A code is never given to another error, nor used again once it is gone.
 * `sentence` is what happened, `cause` why as a rule, `next` what siteward does by itself, `operator` what a person can
 * do, beginning with the command to type where there is one. docs/ERRORS.md is made from this list, and from
 * error-signs.ts, which says by what each is met.
 */
export interface ErrorEntry {
  readonly sentence: string;
  readonly cause: string;
  readonly next: string;
  readonly operator: string;
}

export const errors = {
  'SW-CONFIG-001': {
    sentence: 'The cluster file is bad.',
    cause: 'A key is unknown, missing or has a value that makes no sense.',
    next: 'A daemon that has not run with a good one does not start (exit code 3); the message names file, line and key.',
    operator: '`siteward config check`, then write what it says.',
  },
  'SW-CONFIG-002': {
    sentence: 'Running on the last good configuration.',
    cause: 'The cluster file became bad after this daemon had last started with a good one.',
    next: 'The daemon works on with its last good copy and alerts until the file is good again.',
    operator: '`siteward config check`; mend the file, then restart the daemon.',
  },
  'SW-CONFIG-003': {
    sentence: 'The timings do not add up.',
    cause: 'A sum of protocol timings reaches its limit: one bad link could cost a healthy primary its lease.',
    next: 'As for a bad file.',
    operator: '`siteward config check` prints the sum; lengthen its limit or shorten a term.',
  },
  'SW-CONFIG-004': {
    sentence: 'This host is in no part of the cluster file.',
    cause: 'The host name is none of those under `sites` and `witness`.',
    next: 'The daemon does not start.',
    operator: '`hostname`; correct the file, or name the host with --host.',
  },
  'SW-CONFIG-005': {
    sentence: 'A secret file can be read by others than its owner.',
    cause: 'Its mode gives rights to group or world.',
    next: '`siteward config check` fails. Only it looks: daemons start and go on.',
    operator: '`chmod 0600 FILE`, and change the secret if others may have read it.',
  },
  'SW-KEY-001': {
    sentence: "This host's own key is missing or unreadable.",
    cause: 'No file NAME.key and NAME.crt in keys.directory, or the account may not read it.',
    next: 'The daemon does not start.',
    operator:
      'Where the files are there: their owner (`chown`, INSTALL.md). Where they are not: make the key again and pin it in the cluster file on every host.',
  },
  'SW-KEY-002': {
    sentence: "A peer's public key is not the pinned one.",
    cause: 'The key was replaced without a second pin, an address is wrong, or somebody else answers there.',
    next: 'The connection is closed before a byte is exchanged; the peer counts as not reachable.',
    operator: 'Compare the pin with the key on that host; pin both while a key is being replaced.',
  },
  'SW-KEY-003': {
    sentence: "This host's own key is not the one pinned for it.",
    cause: 'The key on disk and the cluster file are from different times.',
    next: 'The daemon does not start (exit code 3).',
    operator:
      '`siteward keys pin /etc/siteward/keys/NAME.crt`; list that pin under `keys.NAME` in the cluster file on every host. "Add a key, replace a key" in RUNBOOK.md.',
  },
  'SW-STATE-001': {
    sentence: 'The state on disk is missing or damaged.',
    cause: 'The state directory was emptied or put back from a copy, or the disk fails (Q8).',
    next: 'An agent or witness does not vote; the other two decide. A guard does not start (exit code 8), and its fuse ends the database.',
    operator:
      'Guard: "A guard lost its state" in RUNBOOK.md. Else: find out what happened to the disk, then `siteward agent rejoin` (an agent witness: `siteward witness rejoin`).',
  },
  'SW-STATE-002': {
    sentence: 'The state could not be written.',
    cause: 'The disk is read-only, failing, or hangs.',
    next: 'Nothing that depended on it is sent; the process ends (exit code 1), its supervisor restarts it, leases run out by themselves.',
    operator: 'Look at the disk of the state directory.',
  },
  'SW-STATE-003': {
    sentence: 'The state on disk is older than what others remember.',
    cause: 'A snapshot or backup was put back (Q8).',
    next: 'The agent does not vote; the other two decide.',
    operator: '`siteward agent rejoin`; never put the state directory back from a copy.',
  },
  'SW-STATE-004': {
    sentence: 'The state on disk is of a newer format.',
    cause: 'A newer version ran here before.',
    next: 'The daemon does not start (exit code 8) and leaves the file as it is.',
    operator: 'Install the newer version again; nothing is lost.',
  },
  'SW-STATE-005': {
    sentence: 'Another daemon of this role runs on the same state.',
    cause:
      '`siteward agent`, `guard` or `witness` was typed while the service runs, or the service starts while one that was typed runs.',
    next: 'The second one does not start (exit code 8) and changes nothing; the first one works on. A service tries again by itself.',
    operator:
      '`systemctl status siteward-agent` (`-guard`, `-witness`): where it runs, nothing is to be done. Else end the one that was typed; `pgrep -af siteward` finds it. `siteward status` and the other commands go along with the service.',
  },
  'SW-QUORUM-001': {
    sentence: 'No majority of voters can be heard.',
    cause: 'Two of agents and witness are down or cut off.',
    next: 'Nothing is changed; the primary writes on as long as the guards alone can keep its lease (L8).',
    operator: '`siteward status`; bring back an agent, the witness or the link between them.',
  },
  'SW-QUORUM-002': {
    sentence: 'A voter belongs to another voter set.',
    cause: 'The cluster files of two hosts name different witnesses: somebody edited `witness`.',
    next: 'That voter grants and votes for no one here. With both agents on another set than the guard the primary stops.',
    operator: 'Put back what `witness` said before, on every host, and restart the daemons.',
  },
  'SW-QUORUM-003': {
    sentence: "There is no witness: a lost primary's site waits for a person.",
    cause: 'witness.kind is none.',
    next: "A lost standby's site stops nothing; a lost primary's site is not replaced.",
    operator: 'Configure a witness, or be ready for `siteward failover --force`.',
  },
  'SW-QUORUM-004': {
    sentence: 'This cluster has not been initialised.',
    cause: '`siteward init` has not been run, or the state of all voters is gone.',
    next: 'Guards touch nothing.',
    operator: '`siteward init --primary SITE`, once, with every voter up.',
  },
  'SW-LEASE-001': {
    sentence: 'The lease was lost and the database was fenced.',
    cause: 'The guard could not renew it with a majority, nor by the other guard, in time (L9).',
    next: 'The database is stopped; it starts again as soon as a lease is held, or stays down when the other site was chosen.',
    operator: '`siteward status` shows who is not heard; round.missed before it says who answered.',
  },
  'SW-LEASE-002': {
    sentence: 'A database was writable without a lease and was killed.',
    cause: 'Somebody started PostgreSQL past the guard (L10).',
    next: 'It stays fenced; the guard starts it as what the record says.',
    operator: 'Start and stop the database through siteward only; see who started it.',
  },
  'SW-FENCE-001': {
    sentence: 'The old primary could not be fenced by anybody.',
    cause: 'Neither its guard nor ssh answers, and fence.command is not set or failed.',
    next: 'Its lease has run out and its fuse has killed it; the step stays due until its host returns.',
    operator: 'See that the host is off, or bring it back: it comes up fenced.',
  },
  'SW-FUSE-001': {
    sentence: 'The fuse is not alive.',
    cause: 'Its process is down, frozen or starved.',
    next: 'The guard renews nothing: the lease runs out and the database stops (L9).',
    operator: '`systemctl status siteward-fuse` on the database host.',
  },
  'SW-DB-001': {
    sentence: 'Clients cannot write to the primary.',
    cause: 'PostgreSQL is down, unreachable, read-only, stalled or its disk is full; the verdict names which.',
    next: 'Once confirmed, the standby is promoted if it may take over; else it is held, and the reason said.',
    operator:
      '`siteward status` for the verdict and the reason of a hold. "What a probe says" in RUNBOOK.md has the classes.',
  },
  'SW-DB-002': {
    sentence: 'The standby may not take over.',
    cause: 'It is unreachable, too far behind, on another timeline or of another system.',
    next: 'The primary works on; a failure of it would wait for a person.',
    operator: '`siteward status` names the reason; "The standby has to be made anew" in RUNBOOK.md if it is that.',
  },
  'SW-DB-003': {
    sentence: 'The probe cannot log in or the database has no connection left.',
    cause: 'Password or pg_hba.conf is wrong, or max_connections is reached.',
    next: 'It counts as no failure of the primary (V1), and nothing is logged. A standby that it happens to may not take over.',
    operator: 'Correct database.probe or pg_hba.conf; connections: "Settings of PostgreSQL" in HOSTS.md.',
  },
  'SW-DB-004': {
    sentence: 'The two databases are not copies of each other.',
    cause: 'Their system identifiers differ.',
    next: 'The other one is never promoted.',
    operator: '"The standby has to be made anew" in RUNBOOK.md.',
  },
  'SW-DB-005': {
    sentence: 'Promotion failed.',
    cause: 'PostgreSQL did not leave recovery in time.',
    next: 'It is tried again while the lease lasts.',
    operator: "Read PostgreSQL's log on the new primary.",
  },
  'SW-DB-006': {
    sentence: 'Writes wait for a standby that does not keep up.',
    cause: 'Zero-loss mode, and the standby or the link to it is down.',
    next: 'zero-loss: they go on once two voters have recorded `sync: false`; zero-loss-strict: once the standby is back.',
    operator: '`siteward status`; bring the standby back. "Writes stall" in RUNBOOK.md.',
  },
  'SW-DB-007': {
    sentence: 'The standby may lack what was acknowledged, so it does not take over by itself.',
    cause: 'Zero-loss mode: the standby was gone, writes went on without it, and the record says `sync: false`.',
    next: 'A failure of the primary waits for a person, or for the primary to come back.',
    operator:
      'Bring the primary back; or `siteward failover --to SITE --accept-loss`, which loses what the standby lacks.',
  },
  'SW-DB-008': {
    sentence: 'A standby that others reach and its own guard does not.',
    cause:
      'The guard asks by the local socket, by which it would promote: the `local` line of pg_hba.conf, or the directory of the socket.',
    next: 'This standby may not take over, so the primary is not given up for it; its guard asks on.',
    operator: "`runuser -u postgres -- psql -c 'SELECT 1'` on its database host says why.",
  },
  'SW-WITNESS-001': {
    sentence: 'The witness does not answer.',
    cause:
      'Route 53 throttles, is slow or unreachable; the zone is gone, or the credentials are; or the witness agent is down.',
    next: 'The two agents remain a majority; nothing stops.',
    operator: 'Look at the witness: another fault now would stop changes. "The witness is silent" in RUNBOOK.md.',
  },
  'SW-WITNESS-002': {
    sentence: 'The register is out.',
    cause: 'Its record is missing, unreadable, older than before, or of another cluster (W3).',
    next: 'It is not used and not created over; the two agents remain a majority.',
    operator: 'Find out who changed the zone, then `siteward witness rejoin`.',
  },
  'SW-DNS-001': {
    sentence: 'The public name does not point to the entry.',
    cause: 'The change was refused, is pending, or somebody else changed the record.',
    next: 'It is set again until Route 53 says INSYNC.',
    operator: 'Check the rights of the credentials for the zone.',
  },
  'SW-SSH-001': {
    sentence: 'A host cannot be reached by ssh.',
    cause: 'sshd is down, the host key is not the pinned one, or our key is not accepted.',
    next: 'The step stays due and is done when the host returns.',
    operator:
      'Compare ssh.hostKeys with the host; check the forced command in authorized_keys. "Other keys and credentials" in RUNBOOK.md.',
  },
  'SW-APP-001': {
    sentence: 'An application host is not on the primary.',
    cause: 'The staged .env is missing, the reload failed, or the host is down.',
    next: 'It takes no traffic while others are right; the switch is tried again.',
    operator:
      '`journalctl -t siteward-host` there (HOSTS.md, Refusals). Look at envDirectory on that host: site1.env, site2.env and the active file.',
  },
  'SW-HAPROXY-001': {
    sentence: 'A balancer cannot serve.',
    cause: 'HAProxy is down or none of its instances is ready.',
    next: "The entry moves once this is confirmed and the other site's balancer does serve (V7).",
    operator: '`systemctl status haproxy` on the service host.',
  },
  'SW-ORDER-001': {
    sentence: 'The order was refused.',
    cause: 'A rule stands against it; the answer names it and until when.',
    next: 'Nothing is changed.',
    operator:
      'Wait until then, or take the option that the answer names. "An order is refused, or undone" in RUNBOOK.md.',
  },
  'SW-ORDER-002': {
    sentence: 'The order did not come to its end in time.',
    cause: 'A host it needs was lost on the way.',
    next: 'It is undone: the old primary goes on in the old epoch.',
    operator: '`siteward status`, then give the order again.',
  },
  'SW-BUG-001': {
    sentence: 'siteward broke a promise to itself.',
    cause: 'A bug.',
    next: 'The process ends with its last words in the log; its supervisor restarts it; leases run out by themselves.',
    operator: 'Report it with the log of all agents and guards.',
  },
} as const satisfies Readonly<Record<`SW-${string}-${number}`, ErrorEntry>>;

export type ErrorCode = keyof typeof errors;

/** `SW-CONFIG-001 The cluster file is bad.` */
export function errorLine(code: ErrorCode): string {
  return `${code} ${errors[code].sentence}`;
}
