// Moments by the organisation's clock, which everybody who works in it shares: what one writes at 9:00 another reads at 9:00.
let zone = 'UTC';
let written = formatIn(zone);

/** The organisation's time zone, as the server names it. */
export function setTimeZone(name: string) {
  if (name !== zone) {
    written = formatIn(name);
    zone = name;
  }
}

export function timeZone(): string {
  return zone;
}

function formatIn(name: string): Intl.DateTimeFormat {
  // Swedish writes days and clocks as `2026-01-31 09:00:00`.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
}

/** What the clock on the wall shows: `2026-01-31 09:00:00`; nothing for what is no moment. */
export function wallOf(moment: Date): string {
  return Number.isNaN(moment.getTime()) ? '' : written.format(moment);
}

/** The moment at which the clock shows this. An hour that is skipped in spring is the one after, one that comes twice in autumn the first. */
export function momentAt(wall: string): Date {
  const shown = Date.parse(`${wall.replace(' ', 'T')}Z`);
  const offsetAt = (moment: number) => Date.parse(`${wallOf(new Date(moment)).replace(' ', 'T')}Z`) - moment;
  const day = 86_400_000;
  const offsets = [offsetAt(shown - day), offsetAt(shown + day)];
  const fitting = offsets.map((offset) => shown - offset).filter((moment) => moment + offsetAt(moment) === shown);
  return new Date(fitting.length > 0 ? Math.min(...fitting) : shown - Math.min(...offsets));
}

/** The day of a moment: `2026-01-31`. */
export function dayOf(moment: Date): string {
  return wallOf(moment).slice(0, 10);
}
