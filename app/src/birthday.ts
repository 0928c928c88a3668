// What the application knows of names, dates and birthdays. Pure: "today" is always given, as a calendar date.
//
// Decided here (docs/APPLICATION.md): somebody born on February 29 has the birthday on February 28 in a year without one, as
// PostgreSQL's own date arithmetic has it; names keep their case.

export interface CalendarDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const NAME = /^[A-Za-z]{1,20}$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAY_MS = 86_400_000;

export function isUsername(text: string): boolean {
  return NAME.test(text);
}

/** A date that exists in the (proleptic Gregorian) calendar, written YYYY-MM-DD; PostgreSQL has no year 0. */
export function parseDate(text: string): CalendarDate | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const date = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  const isReal =
    date.year >= 1 &&
    date.month >= 1 &&
    date.month <= 12 &&
    date.day >= 1 &&
    date.day <= daysInMonth(date.year, date.month);
  return isReal ? date : null;
}

export function isBefore(one: CalendarDate, other: CalendarDate): boolean {
  return dayNumber(one) < dayNumber(other);
}

/** Days from today to the next birthday; 0 on the day itself. */
export function daysToBirthday(born: CalendarDate, today: CalendarDate): number {
  const thisYear = dayNumber(birthdayIn(today.year, born)) - dayNumber(today);
  return thisYear >= 0 ? thisYear : dayNumber(birthdayIn(today.year + 1, born)) - dayNumber(today);
}

export function greeting(username: string, born: CalendarDate, today: CalendarDate): string {
  const days = daysToBirthday(born, today);
  return days === 0 ? `Hello, ${username}! Happy birthday!` : `Hello, ${username}! Your birthday is in ${days} day(s)`;
}

/** The calendar date that it is in a time zone at an instant; one formatter for the life of the process. */
export function calendarOf(timeZone: string): (instant: Date) => CalendarDate {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' });
  return (instant) => {
    const part = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    return { year: part.get('year') ?? 0, month: part.get('month') ?? 0, day: part.get('day') ?? 0 };
  };
}

function birthdayIn(year: number, born: CalendarDate): CalendarDate {
  return { year, month: born.month, day: Math.min(born.day, daysInMonth(year, born.month)) };
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function dayNumber(date: CalendarDate): number {
  // setUTCFullYear, since Date.UTC reads the years 0 to 99 as 1900 to 1999.
  return Math.round(new Date(0).setUTCFullYear(date.year, date.month - 1, date.day) / DAY_MS);
}
