// A number as a birthday: so many days after a base day, in a leap year long ago, so that no day is missing.

const msOfDay = 86_400_000;
const birthYear = 1980;

/** Days since 1970, by UTC, as the service counts. */
export const dayOf = (ms: number): number => Math.floor(ms / msOfDay);

export function dateOf(base: number, value: number): string {
  return `${birthYear}${new Date((base + value) * msOfDay).toISOString().slice(4, 10)}`;
}

/** Of a date in the database. */
export function valueAt(base: number, date: string): number {
  const year = new Date(base * msOfDay).getUTCFullYear();
  const inYear = (y: number) => dayOf(Date.parse(`${y}${date.slice(4)}T00:00:00Z`)) - base;
  const value = inYear(year);
  return value >= 0 ? value : inYear(year + 1);
}

/** Of the service's greeting: `Your birthday is in N day(s)`, said on that day. */
export function valueShown(body: string, base: number, day: number): number {
  const days = /in (\d+) day/.exec(body)?.[1];
  if (days === undefined && !body.includes('Happy birthday')) throw new Error(`no greeting: ${body}`);
  return Number(days ?? 0) + day - base;
}
