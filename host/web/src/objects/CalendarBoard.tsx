import { ActionIcon, Badge, Box, Button, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Field, type ObjectDefinition, segmentOf } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { type Filter, someQuery } from '~/api/queries';
import { dayOf } from '~/clock';
import { useShortcuts } from '~/components/shortcuts';
import { asText } from '~/fields/values';
import { both } from '~/filters/operators';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import classes from './CalendarBoard.module.css';
import { addDays, addMonths, monthGrid } from './days';

const RECORDS_MAX = 200;
const CHIPS_MAX = 4;
/** The fields by which objects of the standard lie in a calendar. */
const DAY_FIELDS = ['starts_at', 'due_on', 'close_on', 'ends_on'];

export function dayFieldOf(object: ObjectDefinition): Field | undefined {
  const named = DAY_FIELDS.map((name) => fieldOf(object, name)).find((field) => field?.type === 'date' || field?.type === 'time');
  return ['task', 'event'].includes(object.name) || named?.name === 'starts_at' || named?.name === 'due_on' ? named : undefined;
}

interface Props {
  readonly object: ObjectDefinition;
  readonly filter: Filter | undefined;
  readonly q: string | undefined;
  readonly day: string | undefined;
  readonly onDay: (day: string) => void;
}

/** A month, weeks beginning with Monday. */
export function CalendarBoard({ object, filter, q, day, onDay }: Props) {
  const { t, language } = useWords();
  const field = dayFieldOf(object);
  const today = dayOf(new Date());
  const shown = day ?? today;
  const weeks = monthGrid(shown);
  const [first, last] = [weeks[0]?.[0] ?? shown, weeks.at(-1)?.at(-1) ?? shown];
  const within: Filter = { field: field?.name ?? '', op: 'between', value: [first, last] };
  const fields = [object.title, field?.name ?? '', ...(fieldOf(object, 'status') ? ['status'] : [])];
  const found = useQuery({
    ...someQuery(object, { filter: both(filter, within), q, sort: field?.name, fields }, RECORDS_MAX),
    enabled: !!field,
  });
  useShortcuts({
    t: () => onDay(today),
    ArrowLeft: () => onDay(addDays(shown, -1)),
    ArrowRight: () => onDay(addDays(shown, 1)),
    ArrowUp: () => onDay(addDays(shown, -7)),
    ArrowDown: () => onDay(addDays(shown, 7)),
  });
  if (!field) {
    return null;
  }
  const byDay = Map.groupBy(found.data?.data ?? [], (record) => localDay(field, record[field.name]));
  const month = new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(shown));
  const weekday = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' });
  return (
    <Box className={classes.board}>
      <Group gap="xs" mb="xs">
        <ActionIcon variant="default" aria-label={t('calendar.previous')} onClick={() => onDay(addMonths(shown, -1))}>
          <IconChevronLeft size={16} />
        </ActionIcon>
        <Button size="compact-sm" variant="default" onClick={() => onDay(today)}>
          {t('period.today')}
        </Button>
        <ActionIcon variant="default" aria-label={t('calendar.next')} onClick={() => onDay(addMonths(shown, 1))}>
          <IconChevronRight size={16} />
        </ActionIcon>
        <Text component="h2" fw={600} aria-live="polite">
          {month}
        </Text>
        {found.data?.page.next && <Badge color="yellow">{t('calendar.more', { count: RECORDS_MAX })}</Badge>}
      </Group>
      {found.isError && <ErrorBox error={found.error} onRetry={() => void found.refetch()} />}
      <table className={classes.grid} aria-label={month}>
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
                return (
                  <td
                    key={day}
                    data-other={day.slice(0, 7) !== shown.slice(0, 7) || undefined}
                    data-today={day === today || undefined}
                    data-shown={day === shown || undefined}
                  >
                    <Text fz="xs" component="div" className={classes.number}>
                      {Number(day.slice(8))}
                    </Text>
                    {records.slice(0, CHIPS_MAX).map((record) => (
                      <Link
                        key={record.id}
                        className={classes.chip}
                        data-done={['done', 'held', 'cancelled'].includes(asText(record.status)) || undefined}
                        to="/objects/$objects/$id"
                        params={{ objects: segmentOf(object), id: record.id }}
                      >
                        {asText(record[object.title])}
                      </Link>
                    ))}
                    {records.length > CHIPS_MAX && (
                      <Text fz="xs" c="dimmed">
                        {t('calendar.others', { count: records.length - CHIPS_MAX })}
                      </Text>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Box>
  );
}

function localDay(field: Field, value: unknown): string {
  return field.type === 'date' ? asText(value) : dayOf(new Date(asText(value)));
}
