// Days without a clock: `2026-01-31`.

export function addDays(day: string, days: number): string {
  const moment = new Date(`${day}T00:00:00Z`);
  moment.setUTCDate(moment.getUTCDate() + days);
  return moment.toISOString().slice(0, 10);
}

/** The same day of another month, or its last one. */
export function addMonths(day: string, months: number): string {
  const moment = new Date(`${day.slice(0, 7)}-01T00:00:00Z`);
  moment.setUTCMonth(moment.getUTCMonth() + months);
  const last = new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1, 0)).getUTCDate();
  moment.setUTCDate(Math.min(Number(day.slice(8)), last));
  return moment.toISOString().slice(0, 10);
}

/** The weeks that a day's month touches, each from Monday. */
export function monthGrid(day: string): string[][] {
  const first = `${day.slice(0, 7)}-01`;
  const weekday = (new Date(`${first}T00:00:00Z`).getUTCDay() + 6) % 7;
  const weeks: string[][] = [];
  for (let start = addDays(first, -weekday); start <= addMonths(`${day.slice(0, 7)}-31`, 0); start = addDays(start, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, index) => addDays(start, index)));
  }
  return weeks;
}

/** How much a calendar shows at once. */
export const SPANS = ['month', 'week', 'day', 'agenda'] as const;
export type Span = (typeof SPANS)[number];

const AGENDA_DAYS = 30;

/** The days that a calendar shows, by week. */
export function daysOf(span: Span, day: string): string[][] {
  switch (span) {
    case 'month':
      return monthGrid(day);
    case 'week': {
      const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
      return [Array.from({ length: 7 }, (_, index) => addDays(day, index - weekday))];
    }
    case 'day':
      return [[day]];
    case 'agenda':
      return [Array.from({ length: AGENDA_DAYS }, (_, index) => addDays(day, index))];
  }
}

/** The day that is shown after a step on or back. */
export function stepped(span: Span, day: string, by: 1 | -1): string {
  switch (span) {
    case 'month':
      return addMonths(day, by);
    case 'week':
      return addDays(day, 7 * by);
    case 'day':
      return addDays(day, by);
    case 'agenda':
      return addDays(day, AGENDA_DAYS * by);
  }
}
