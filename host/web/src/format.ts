// Numbers, amounts, days and moments as people of a language write them.
import type { Money } from './api/client';
import { timeZone } from './clock';
import type { Language } from './i18n/label';

export interface Formats {
  number(value: number, digits?: number): string;
  compact(value: number): string;
  percent(share: number): string;
  money(value: Money): string;
  date(day: string): string;
  time(moment: string): string;
  /** `3 days ago`, for what is near; the day itself otherwise. */
  ago(moment: string, now?: number): string;
  list(words: string[]): string;
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const AGO_DAYS_MAX = 30;

const kept = new Map<string, Formats>();

export function formatsOf(language: Language): Formats {
  const key = `${language} ${timeZone()}`;
  const formats = kept.get(key) ?? make(language);
  kept.set(key, formats);
  return formats;
}

function make(language: Language): Formats {
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' });
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: timeZone() });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const list = new Intl.ListFormat(language, { type: 'conjunction' });
  return {
    number: (value, digits = 4) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value),
    compact: (value) => compact.format(value),
    percent: (share) => percent.format(share),
    money: (value) => moneyIn(language, value),
    date: (day) => readable(day, (moment) => date.format(moment)),
    time: (moment) => readable(moment, (parsed) => time.format(parsed)),
    ago: (moment, now = Date.now()) =>
      readable(moment, (parsed) => {
        const away = parsed.getTime() - now;
        if (Math.abs(away) > AGO_DAYS_MAX * 86_400_000) {
          return time.format(parsed);
        }
        const [unit, size] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? ['minute', 60_000];
        return relative.format(Math.trunc(away / size), unit);
      }),
    list: (words) => list.format(words),
  };
}

/** Amounts are decimal strings; Intl takes them as such, so that no digit is lost. */
function moneyIn(language: Language, { amount, currency }: Money): string {
  try {
    // `format` takes decimal strings (ECMA-402, 2023); the type of the library says numbers only.
    return new Intl.NumberFormat(language, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).format(
      amount as unknown as number,
    );
  } catch {
    return `${amount} ${currency}`;
  }
}

function readable(text: string, write: (moment: Date) => string): string {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? text : write(moment);
}
