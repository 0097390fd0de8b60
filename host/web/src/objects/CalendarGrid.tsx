import { Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type AnyRecord, type Field, type ObjectDefinition, segmentOf } from '~/api/client';
import { wallOf } from '~/clock';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import classes from './CalendarBoard.module.css';

/** In a month, a day shows so many; in a week or a day, all. */
const CHIPS_MAX = 4;

interface Drawn {
  readonly object: ObjectDefinition;
  readonly field: Field;
  readonly byDay: ReadonlyMap<string, readonly AnyRecord[]>;
  readonly shown: string;
  readonly today: string;
}

interface GridProps extends Drawn {
  readonly weeks: readonly (readonly string[])[];
  readonly whole: boolean;
  readonly title: string;
}

/** Weeks as rows, days as columns. */
export function CalendarGrid({ object, field, byDay, shown, today, weeks, whole, title }: GridProps) {
  const { t, language } = useWords();
  const weekday = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' });
  return (
    <table className={classes.grid} data-whole={whole || undefined} aria-label={title}>
      <thead>
        <tr>
          {weeks[0]?.map((day) => (
            <th key={day} scope="col">
              {weekday.format(new Date(day))}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week[0]}>
            {week.map((day) => {
              const records = byDay.get(day) ?? [];
              const drawn = whole ? records : records.slice(0, CHIPS_MAX);
              return (
                <td
                  key={day}
                  data-other={(!whole && day.slice(0, 7) !== shown.slice(0, 7)) || undefined}
                  data-today={day === today || undefined}
                  data-shown={day === shown || undefined}
                >
                  <Text fz="xs" component="div" className={classes.number}>
                    {Number(day.slice(8))}
                  </Text>
                  {drawn.map((record) => (
                    <Chip key={record.id} object={object} field={field} record={record} />
                  ))}
                  {records.length > drawn.length && (
                    <Text fz="xs" c="dimmed">
                      {t('calendar.others', { count: records.length - drawn.length })}
                    </Text>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The days that have something, one below the other. */
export function Agenda({ object, field, byDay }: Drawn) {
  const { t, language } = useWords();
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeZone: 'UTC' });
  const days = [...byDay.keys()].sort();
  if (days.length === 0) {
    return <Empty title={t('calendar.nothing')} />;
  }
  return (
    <Stack maw={640}>
      {days.map((day) => (
        <section key={day} aria-label={date.format(new Date(day))}>
          <Text component="h3" fz="sm" fw={600}>
            {date.format(new Date(day))}
          </Text>
          {byDay.get(day)?.map((record) => (
            <Chip key={record.id} object={object} field={field} record={record} />
          ))}
        </section>
      ))}
    </Stack>
  );
}

function Chip({ object, field, record }: { object: ObjectDefinition; field: Field; record: AnyRecord }) {
  const time = field.type === 'time' ? `${wallOf(new Date(asText(record[field.name]))).slice(11, 16)} ` : '';
  return (
    <Link
      className={classes.chip}
      data-done={['done', 'held', 'cancelled'].includes(asText(record.status)) || undefined}
      to="/objects/$objects/$id"
      params={{ objects: segmentOf(object), id: record.id }}
    >
      {time}
      {asText(record[object.title])}
    </Link>
  );
}
