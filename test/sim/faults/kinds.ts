// The closed list of what can go wrong in a run. What each of them does is in the files beside this one.

export const faultKinds = [
  // network
  'cut-sites',
  'cut-one-way',
  'cut-place',
  'cut-machines',
  'lossy-path',
  'slow-path',
  'duplicates',
  // processes
  'crash-daemon',
  'crash-between-effects',
  'upgrade-daemon',
  'freeze-daemon',
  'stall-daemon',
  'freeze-fuse',
  'crash-fuse',
  // machines and disks
  'power-loss',
  'reboot',
  'suspend',
  'site-loss',
  'wall-jump',
  'disk-slow',
  'disk-full',
  'state-damaged',
  'state-put-back',
  // register and name
  'register-slow',
  'register-throttled',
  'register-late',
  'register-down',
  'register-deleted',
  'register-put-back',
  'dns-slow',
  // PostgreSQL
  'postgres-crash',
  'postgres-backend-crash',
  'postgres-hang',
  'postgres-disk-hang',
  'postgres-read-only',
  'postgres-full',
  'postgres-connections',
  'postgres-slow-commit',
  'replication-stalled',
  'replication-lag',
  'promote-misreported',
  'start-misreported',
  'postgres-started-by-hand',
  'postgres-stopped-by-hand',
  // applications and balancers
  'instance-crash',
  'instance-hang',
  'reload-lost',
  'ssh-dies',
  'application-host-down',
  'balancer-crash',
  'balancer-hang',
  // people
  'order-switchover',
  'order-failover',
  'order-entry',
  'order-pause',
  'order-restart',
  'order-force',
  // Later than the others: drawn last, so that the seeds before it draw what they always drew (options.ts).
  'isolate-machine',
  'slot-lost',
  'disaster',
] as const;

export type FaultKind = (typeof faultKinds)[number];
