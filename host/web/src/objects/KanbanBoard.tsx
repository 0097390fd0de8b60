import {
  type CollisionDetection,
  DndContext,
  type DragEndEvent,
  DragOverlay,
  KeyboardSensor,
  PointerSensor,
  pointerWithin,
  rectIntersection,
  useDraggable,
  useDroppable,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { Badge, Box, Button, Card, Group, Modal, ScrollArea, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, type Field, type ObjectDefinition, type Schemas, segmentOf } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { type Asked, aggregateQuery, type Filter, someQuery } from '~/api/queries';
import { RecordLink } from '~/components/RecordLink';
import { FieldValue } from '~/fields/FieldValue';
import { asText, type Included, isEmpty, isMoney } from '~/fields/values';
import { both } from '~/filters/conditions';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { daysSince } from './age';
import classes from './KanbanBoard.module.css';
import { StageGate } from './StageGate';

const CARDS_MAX = 50;
const CARD_FIELDS_MAX = 3;
/** So far a pointer goes before a click is a drag. */
const DRAG_PX = 6;

/** The column under the pointer; by keyboard there is none, and the card itself says where it is. */
const columnUnder: CollisionDetection = (asked) => {
  const under = pointerWithin(asked);
  return under.length > 0 ? under : rectIntersection(asked);
};

type Stage = { readonly value: string; readonly label: Schemas['Label'] };

/** The choice that a board's columns are: the stage of the first pipeline, else a status. */
export function stageFieldOf(object: ObjectDefinition): Field | undefined {
  const name =
    object.pipelines?.[0]?.stage ?? object.fields.find((field) => field.type === 'choice' && field.name === 'status')?.name;
  return name ? fieldOf(object, name) : undefined;
}

/** Records as cards, a column for each stage. */
export function KanbanBoard({ object, asked, currency }: { object: ObjectDefinition; asked: Asked; currency: string }) {
  const { t } = useWords();
  const field = stageFieldOf(object);
  const pipeline = object.pipelines?.[0];
  const money = object.fields.find((field) => field.type === 'money' && field.writable);
  const weighted = object.fields.find((field) => field.type === 'money' && field.name === 'weighted_amount');
  const sums = useQuery({
    ...aggregateQuery(object, {
      ...(asked.filter && { filter: asked.filter }),
      group_by: [{ field: field?.name ?? '' }],
      aggregates: [money, weighted].filter((field) => !!field).map(({ name }) => ({ function: 'sum', field: name, as: name })),
    }),
    enabled: !!field && !asked.q,
  });
  const [dragged, setDragged] = useState<AnyRecord>();
  const [refused, setRefused] = useState<{ record: AnyRecord; stage: Stage; error: unknown }>();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: DRAG_PX } }),
    useSensor(KeyboardSensor),
  );
  const move = useMutation({
    mutationFn: ({ record, stage }: { record: AnyRecord; stage: Stage }) =>
      answer(
        api.PATCH('/api/v1/{objects}/{id}', {
          params: { path: { objects: segmentOf(object), id: record.id } },
          body: { [field?.name ?? '']: stage.value },
        }),
      ),
    onSettled: () => forgetRecords(object.name),
    onError: (error, { record, stage }) => setRefused({ record, stage, error }),
  });
  if (!field) {
    return null;
  }
  const stages: readonly Stage[] = (field.options ?? []).filter((option) => !option.retired);
  const end = ({ active, over }: DragEndEvent) => {
    setDragged(undefined);
    const record = active.data.current?.record as AnyRecord | undefined;
    const stage = stages.find((stage) => stage.value === over?.id);
    if (record && stage && record[field.name] !== stage.value) {
      move.mutate({ record, stage });
    }
  };
  const fields = (object.layouts?.at(-1)?.columns ?? [])
    .filter((name) => name !== object.title && name !== field.name)
    .map((name) => fieldOf(object, name))
    .filter((field): field is Field => !!field)
    .slice(0, CARD_FIELDS_MAX);
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={columnUnder}
      onDragStart={({ active }) => setDragged(active.data.current?.record as AnyRecord)}
      onDragCancel={() => setDragged(undefined)}
      onDragEnd={end}
      accessibility={{ screenReaderInstructions: { draggable: t('kanban.howToDrag') } }}
    >
      <ScrollArea flex={1} mih={0} type="auto" viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': t('mode.kanban') }}>
        <Group align="stretch" wrap="nowrap" gap="sm" pb="sm">
          {stages.map((stage) => (
            <Column
              key={stage.value}
              {...{ object, field, stage, asked, fields }}
              moving={move.isPending ? move.variables : undefined}
              entered={pipeline?.entered_at}
              daysMax={pipeline?.stages.find((one) => one.value === stage.value)?.days_max}
              sum={sums.data?.data.find((group) => (group.keys as Record<string, unknown>)[field.name] === stage.value)}
              money={money}
              weighted={weighted}
            />
          ))}
        </Group>
      </ScrollArea>
      <DragOverlay>{dragged && <CardBody {...{ object, fields }} record={dragged} included={undefined} />}</DragOverlay>
      <Modal
        opened={refused !== undefined}
        onClose={() => setRefused(undefined)}
        size="lg"
        title={t('kanban.refused')}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        {refused && <StageGate {...{ object, currency, field }} {...refused} onDone={() => setRefused(undefined)} />}
      </Modal>
    </DndContext>
  );
}

interface ColumnProps {
  readonly object: ObjectDefinition;
  readonly field: Field;
  readonly stage: Stage;
  readonly asked: Asked;
  readonly fields: readonly Field[];
  readonly moving: { record: AnyRecord; stage: Stage } | undefined;
  readonly entered: string | undefined;
  readonly daysMax: number | undefined;
  readonly sum: Schemas['Aggregated']['data'][number] | undefined;
  readonly money: Field | undefined;
  readonly weighted: Field | undefined;
}

function Column({ object, field, stage, asked, fields, moving, entered, daysMax, sum, money, weighted }: ColumnProps) {
  const { t, label, formats } = useWords();
  const { setNodeRef, isOver } = useDroppable({ id: stage.value });
  const own: Filter = { field: field.name, op: 'eq', value: stage.value };
  const references = fields.filter((field) => field.type === 'reference').map((field) => field.name);
  const cards = useQuery(
    someQuery(
      object,
      {
        ...asked,
        filter: both(asked.filter, own),
        fields: [object.title, field.name, ...fields.map((field) => field.name), ...(entered ? [entered] : [])],
        include: references,
      },
      CARDS_MAX,
    ),
  );
  const values = sum?.values as Record<string, unknown> | undefined;
  const total = money && values?.[money.name];
  const likely = weighted && values?.[weighted.name];
  const rows = (cards.data?.data ?? []).filter((record) => record.id !== moving?.record.id);
  const shown = moving?.stage.value === stage.value ? [moving.record, ...rows] : rows;
  const title = label(stage.label);
  return (
    <Box ref={setNodeRef} component="section" aria-label={title} className={classes.column} data-over={isOver || undefined}>
      <Group justify="space-between" wrap="nowrap" px={4}>
        <Text component="h2" fz="sm" fw={600} truncate>
          {title}
        </Text>
        <Badge variant="default" size="sm" aria-label={t('kanban.count')}>
          {sum ? formats.number(sum.count) : (cards.data && shown.length) || 0}
        </Badge>
      </Group>
      {isMoney(total) && (
        <Text fz="xs" c="dimmed" px={4}>
          {formats.money(total)}
          {isMoney(likely) && ` · ${t('kanban.weighted', { amount: formats.money(likely) })}`}
        </Text>
      )}
      <Stack gap={6} mt={6}>
        {cards.isPending && <Skeleton h={64} />}
        {cards.isError && <ErrorBox error={cards.error} onRetry={() => void cards.refetch()} />}
        {shown.map((record) => (
          <DraggableCard
            key={record.id}
            {...{ object, record, fields, daysMax }}
            included={cards.data?.included}
            days={entered ? daysSince(record[entered]) : undefined}
          />
        ))}
        {cards.data?.page.next && (
          <Text fz="xs" c="dimmed" ta="center">
            {t('kanban.more', { count: CARDS_MAX })}
          </Text>
        )}
      </Stack>
    </Box>
  );
}

interface CardProps {
  readonly object: ObjectDefinition;
  readonly record: AnyRecord;
  readonly fields: readonly Field[];
  readonly included: Included | undefined;
  readonly days?: number | undefined;
  readonly daysMax?: number | undefined;
}

function DraggableCard(props: CardProps) {
  const { t } = useWords();
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, isDragging } = useDraggable({
    id: props.record.id,
    data: { record: props.record },
  });
  return (
    <div ref={setNodeRef} style={{ opacity: isDragging ? 0.4 : 1 }} {...listeners} role="presentation">
      <CardBody {...props}>
        <Button
          ref={setActivatorNodeRef}
          size="compact-xs"
          variant="subtle"
          color="gray"
          {...attributes}
          aria-label={t('kanban.move', { record: asText(props.record[props.object.title]) })}
        >
          ⠿
        </Button>
      </CardBody>
    </div>
  );
}

function CardBody({ object, record, fields, included, days, daysMax, children }: CardProps & { children?: React.ReactNode }) {
  const { t } = useWords();
  const late = days !== undefined && daysMax !== undefined && days > daysMax;
  return (
    <Card withBorder p="xs" radius="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap={4}>
        <Text fz="sm" fw={500} lineClamp={2}>
          <RecordLink object={object} id={record.id} title={asText(record[object.title])} />
        </Text>
        {children}
      </Group>
      {fields.map((field) =>
        isEmpty(record[field.name]) ? null : (
          <Text key={field.name} fz="xs" c="dimmed" truncate component="div">
            <FieldValue field={field} value={record[field.name]} included={included} short />
          </Text>
        ),
      )}
      {days !== undefined && (
        <Badge size="xs" mt={4} variant="light" color={late ? 'red' : 'gray'} tt="none">
          {late ? t('kanban.late', { count: days, days, max: daysMax }) : t('kanban.days', { count: days, days })}
        </Badge>
      )}
    </Card>
  );
}
