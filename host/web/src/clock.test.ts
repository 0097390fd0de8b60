import { afterEach, expect, test } from 'vitest';
import { dayOf, momentAt, setTimeZone, wallOf } from './clock';

afterEach(() => setTimeZone('UTC'));

test('a moment is what the clock of the organisation shows, and back', () => {
  const cases = [
    ['UTC', '2026-01-31 09:00:00', '2026-01-31T09:00:00.000Z'],
    ['Asia/Shanghai', '2026-01-31 09:00:00', '2026-01-31T01:00:00.000Z'],
    ['Asia/Kolkata', '2026-01-31 05:30:00', '2026-01-31T00:00:00.000Z'],
    ['America/New_York', '2026-07-01 20:00:00', '2026-07-02T00:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-01-01 00:00:00', '2025-12-31T10:00:00.000Z'],
  ] as const;
  for (const [zone, wall, moment] of cases) {
    setTimeZone(zone);
    expect(momentAt(wall).toISOString(), zone).toBe(moment);
    expect(wallOf(new Date(moment)), zone).toBe(wall);
    expect(dayOf(new Date(moment)), zone).toBe(wall.slice(0, 10));
  }
});

test('hours that are skipped or come twice have a moment', () => {
  setTimeZone('America/New_York');
  // 2026-03-08: 2:00 to 3:00 is skipped. 2026-11-01: 1:00 to 2:00 comes twice.
  expect(momentAt('2026-03-08 02:30:00').toISOString()).toBe('2026-03-08T07:30:00.000Z');
  expect(wallOf(momentAt('2026-03-08 02:30:00'))).toBe('2026-03-08 03:30:00');
  expect(momentAt('2026-11-01 01:30:00').toISOString()).toBe('2026-11-01T05:30:00.000Z');
  expect(wallOf(momentAt('2026-11-01 01:30:00'))).toBe('2026-11-01 01:30:00');
});

test('what is no moment shows nothing', () => {
  expect(wallOf(new Date('never'))).toBe('');
  expect(dayOf(new Date('never'))).toBe('');
});
