// The two statements of the application. The upsert is idempotent, so a write whose answer was lost may be sent again (database.ts).

import { type CalendarDate, parseDate } from './birthday.ts';
import type { Database } from './database/database.ts';

const SAVE = {
  writes: true,
  name: 'save-birthday',
  text: `INSERT INTO base.users (username, birthday) VALUES ($1, $2::date)
         ON CONFLICT (username) DO UPDATE SET birthday = excluded.birthday`,
};
const FIND = {
  writes: false,
  // As text: a date has no time zone, and the driver would give it one.
  name: 'find-birthday',
  text: `SELECT to_char(birthday, 'YYYY-MM-DD') AS birthday FROM base.users WHERE username = $1`,
};

/** Tells whether whoever asked is gone; then the statement is not sent any more. */
export type IsGone = () => boolean;

export async function saveBirthday(
  database: Database,
  username: string,
  birthday: string,
  isGone: IsGone,
): Promise<void> {
  await database.query({ ...SAVE, values: [username, birthday] }, isGone);
}

export async function findBirthday(database: Database, username: string, isGone: IsGone): Promise<CalendarDate | null> {
  const { rows } = await database.query({ ...FIND, values: [username] }, isGone);
  const row: { birthday?: string } | undefined = rows[0];
  return row?.birthday === undefined ? null : parseDate(row.birthday);
}
