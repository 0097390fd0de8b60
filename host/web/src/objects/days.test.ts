import { expect, test } from 'vitest';
import { addDays, addMonths, daysOf, monthGrid, stepped } from './days';

test('days go on over months and years', () => {
  expect([addDays('2026-12-31', 1), addDays('2024-03-01', -1), addDays('2026-03-29', 1)]).toEqual([
    '2027-01-01',
    '2024-02-29',
    '2026-03-30',
  ]);
  expect([addMonths('2026-01-31', 1), addMonths('2024-01-31', 1), addMonths('2026-01-15', -1)]).toEqual([
    '2026-02-28',
    '2024-02-29',
    '2025-12-15',
  ]);
});

test('a month lies in whole weeks from Monday', () => {
  const weeks = monthGrid('2026-11-23');
  expect([weeks.length, weeks[0]?.[0], weeks.at(-1)?.at(-1)]).toEqual([6, '2026-10-26', '2026-12-06']);
  expect(monthGrid('2027-02-01').map((week) => week[0])).toEqual(['2027-02-01', '2027-02-08', '2027-02-15', '2027-02-22']);
});

test('a calendar shows a month, a week, a day, or what comes next', () => {
  expect(daysOf('month', '2026-11-23')).toEqual(monthGrid('2026-11-23'));
  expect(daysOf('week', '2027-01-01')).toEqual([
    ['2026-12-28', '2026-12-29', '2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02', '2027-01-03'],
  ]);
  expect(daysOf('day', '2027-01-01')).toEqual([['2027-01-01']]);
  expect([daysOf('agenda', '2027-01-01')[0]?.length, daysOf('agenda', '2027-01-01')[0]?.at(-1)]).toEqual([30, '2027-01-30']);
  expect([stepped('month', '2027-01-31', 1), stepped('week', '2027-01-01', -1), stepped('day', '2027-01-01', -1)]).toEqual([
    '2027-02-28',
    '2026-12-25',
    '2026-12-31',
  ]);
  expect(stepped('agenda', '2027-01-01', 1)).toBe('2027-01-31');
});
