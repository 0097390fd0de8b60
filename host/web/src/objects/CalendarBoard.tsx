import { ActionIcon, Badge, Box, Button, Group, SegmentedControl, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Field, ObjectDefinition } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { type Filter, someQuery } from '~/api/queries';
import { dayOf } from '~/clock';
import { useShortcuts } from '~/components/shortcuts';
import { asText } from '~/fields/values';
import { both } from '~/filters/conditions';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import classes from './CalendarBoard.module.css';
import { Agenda, CalendarGrid } from './CalendarGrid';
import { addDays, daysOf, SPANS, type Span, stepped } from './days';

const RECORDS_MAX = 200;
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
  readonly span: Span;
  readonly onDay: (day: string) => void;
  readonly onSpan: (span: Span) => void;
}

/** Records by day: a month, a week from Monday, a day, or what comes next. */
export function CalendarBoard({ object, filter, q, day, span, onDay, onSpan }: Props) {
  const { t, language } = useWords();
  const field = dayFieldOf(object);
  const today = dayOf(new Date());
  const shown = day ?? today;
  const weeks = daysOf(span, shown);
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
    ...Object.fromEntries(SPANS.map((one, place) => [String(place + 1), () => onSpan(one)])),
  });
  if (!field) {
    return null;
  }
  const byDay = Map.groupBy(found.data?.data ?? [], (record) => localDay(field, record[field.name]));
  const title = titleOf(span, shown, first, last, language);
  const drawn = { object, field, byDay, shown, today };
  return (
    <Box className={classes.board}>
      <Group gap="xs" mb="xs">
        <ActionIcon variant="default" aria-label={t('calendar.previous')} onClick={() => onDay(stepped(span, shown, -1))}>
          <IconChevronLeft size={16} />
        </ActionIcon>
        <Button size="compact-sm" variant="default" onClick={() => onDay(today)}>
          {t('period.today')}
        </Button>
        <ActionIcon variant="default" aria-label={t('calendar.next')} onClick={() => onDay(stepped(span, shown, 1))}>
          <IconChevronRight size={16} />
        </ActionIcon>
        <SegmentedControl
          size="xs"
          aria-label={t('calendar.span')}
          value={span}
          onChange={(next) => onSpan(next as Span)}
          data={SPANS.map((value) => ({ value, label: t(`calendar.spans.${value}`) }))}
        />
        <Text component="h2" fw={600} aria-live="polite">
          {title}
        </Text>
        {found.data?.page.next && <Badge color="yellow">{t('calendar.more', { count: RECORDS_MAX })}</Badge>}
      </Group>
      {found.isError && <ErrorBox error={found.error} onRetry={() => void found.refetch()} />}
      {span === 'agenda' ? (
        <Agenda {...drawn} />
      ) : (
        <CalendarGrid {...drawn} weeks={weeks} whole={span !== 'month'} title={title} />
      )}
    </Box>
  );
}

function titleOf(span: Span, shown: string, first: string, last: string, language: string): string {
  const [from, to] = [new Date(first), new Date(last)];
  if (span === 'month') {
    return new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(shown));
  }
  const days = new Intl.DateTimeFormat(language, { dateStyle: span === 'day' ? 'full' : 'medium', timeZone: 'UTC' });
  return span === 'day' ? days.format(from) : days.formatRange(from, to);
}

function localDay(field: Field, value: unknown): string {
  return field.type === 'date' ? asText(value) : dayOf(new Date(asText(value)));
}
