import { expect, test } from 'vitest';
import { addDays, addMonths, monthGrid } from './days';

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
