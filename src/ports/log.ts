/** A structured log: constant event names from the catalogue, data in fields. */
export type Log = {
  event(level: 'debug' | 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void;
  /** Flushes synchronously; called before the process ends. */
  flush(): void;
};
