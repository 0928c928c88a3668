export type EventDefinition = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly doc: string;
};
