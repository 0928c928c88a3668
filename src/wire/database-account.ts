// What a database says of itself when `siteward init --dry-run` asks it, as psql prints it.

import { z } from 'zod';

const names = z.array(z.string());
const answer = z.object({
  recovery: z.boolean(),
  databases: names,
  roles: z.array(z.object({ name: z.string(), replication: z.boolean() })),
  slots: names,
  schema: z.boolean(),
  settings: z.record(z.string(), z.string()),
  hba: z.array(z.object({ type: z.string(), databases: names, users: names, method: z.string() })),
});

/** What the database says of itself. */
export type DatabaseAccount = Readonly<z.infer<typeof answer>>;

/** Throws when psql printed anything but the answer to the query. */
export function readDatabaseAccount(text: string): DatabaseAccount {
  const found = answer.safeParse(jsonOrNull(text));
  if (found.success) return found.data;
  throw new Error(`psql did not answer what was asked; it printed ${JSON.stringify(text.slice(0, 200))}`);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
