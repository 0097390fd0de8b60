import {
  DndContext,
  type DragEndEvent,
  type Modifier,
  PointerSensor,
  useDraggable,
  useDroppable,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { ActionIcon, Anchor, Badge, Button, Card, Group, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconGripVertical, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { AnyRecord, ObjectDefinition } from '~/api/client';
import { useObjects } from '~/api/objects';
import { someQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { moved } from '~/ui/OrderedNames';
import { toastError } from '~/ui/toasts';
import classes from './RulesPage.module.css';
import { nameOf, POSITION_STEP, TRIGGERS, useRuleChange } from './rules';

const RULES_MAX = 200;
/** A click moves the mouse a little, too. */
const DRAG_PX = 6;

/** The rules of each object in the order in which they run. */
export function RulesPage() {
  const { t } = useWords();
  const rule = useObjects().byName('rule');
  useEffect(() => {
    document.title = `${t('rules.title')} · Trellis`;
  }, [t]);
  return rule ? <Rules rule={rule} /> : <NotThere what="rules" />;
}

function Rules({ rule }: { rule: ObjectDefinition }) {
  const { t, label } = useWords();
  const objects = useObjects();
  const asked = useQuery(someQuery(rule, { sort: 'position' }, RULES_MAX));
  const byObject = Map.groupBy(asked.data?.data ?? [], (one) => asText(one.object));
  return (
    <Stack p="md">
      <Group justify="space-between">
        <Title order={1} fz="h3">
          {t('rules.title')}
        </Title>
        <Button
          leftSection={<IconPlus size={16} />}
          renderRoot={(props) => <Link to="/rules/$id" params={{ id: 'new' }} {...props} />}
        >
          {t('rules.create')}
        </Button>
      </Group>
      <Text fz="sm" c="dimmed">
        {t('rules.what')}
      </Text>
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.data?.data.length === 0 && <Empty title={t('rules.nothing')} />}
      {[...byObject].map(([name, rules]) => (
        <Card key={name} withBorder component="section" aria-label={label(objects.byName(name)?.plural_label) || name}>
          <Text component="h2" fw={600} mb="xs">
            {label(objects.byName(name)?.plural_label) || name}
          </Text>
          {TRIGGERS.map((trigger) => {
            const ordered = rules.filter((one) => one.trigger === trigger);
            return ordered.length > 0 && <Ordered key={trigger} title={t(`rules.trigger.${trigger}`)} rules={ordered} />;
          })}
        </Card>
      ))}
    </Stack>
  );
}

function Ordered({ title, rules }: { title: string; rules: readonly AnyRecord[] }) {
  const change = useRuleChange();
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: DRAG_PX } }));
  /** Rules whose place is another get the number of it, the others keep theirs. */
  const move = async (index: number, by: number) => {
    for (const [place, rule] of moved(rules, index, by).entries()) {
      const position = (place + 1) * POSITION_STEP;
      if (rule.position !== position) {
        await change.mutateAsync({ id: rule.id, change: { position } }).catch(toastError);
      }
    }
  };
  const placeOf = (id: unknown) => rules.findIndex((rule) => rule.id === id);
  const drop = ({ active, over }: DragEndEvent) => {
    const [from, to] = [placeOf(active.id), placeOf(over?.id)];
    if (from >= 0 && to >= 0 && from !== to) {
      void move(from, to - from);
    }
  };
  return (
    <>
      <Text component="h3" fz="sm" c="dimmed">
        {title}
      </Text>
      <DndContext sensors={sensors} modifiers={[upAndDown]} onDragEnd={drop}>
        <Table>
          <Table.Tbody>
            {rules.map((rule, index) => (
              <RuleRow
                key={rule.id}
                rule={rule}
                index={index}
                last={rules.length - 1}
                busy={change.isPending}
                onMove={(by) => void move(index, by)}
                onSwitch={(enabled) => change.mutate({ id: rule.id, change: { enabled } }, { onError: toastError })}
              />
            ))}
          </Table.Tbody>
        </Table>
      </DndContext>
    </>
  );
}

interface RowProps {
  readonly rule: AnyRecord;
  readonly index: number;
  readonly last: number;
  readonly busy: boolean;
  readonly onMove: (by: 1 | -1) => void;
  readonly onSwitch: (enabled: boolean) => void;
}

/** A rule in its place: moved by its handle, or by its buttons where there is no mouse. */
function RuleRow({ rule, index, last, busy, onMove, onSwitch }: RowProps) {
  const { t, language } = useWords();
  const drag = useDraggable({ id: rule.id });
  const drop = useDroppable({ id: rule.id });
  const name = nameOf(rule, language);
  return (
    <Table.Tr
      ref={(row) => {
        drag.setNodeRef(row);
        drop.setNodeRef(row);
      }}
      bg={drop.isOver && !drag.isDragging ? 'var(--mantine-primary-color-light)' : undefined}
      style={{ ...(drag.transform && { transform: `translateY(${drag.transform.y}px)`, position: 'relative', zIndex: 1 }) }}
    >
      <Table.Td w={130}>
        <Group gap={2} wrap="nowrap">
          <div {...drag.listeners} className={classes.handle} title={t('rules.drag')}>
            <IconGripVertical size={16} aria-hidden />
          </div>
          <ActionIcon
            variant="subtle"
            size="sm"
            disabled={index === 0 || busy}
            aria-label={t('rules.earlier', { name })}
            onClick={() => onMove(-1)}
          >
            <IconArrowUp size={14} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            size="sm"
            disabled={index === last || busy}
            aria-label={t('rules.later', { name })}
            onClick={() => onMove(1)}
          >
            <IconArrowDown size={14} />
          </ActionIcon>
        </Group>
      </Table.Td>
      <Table.Td>
        <Anchor inherit renderRoot={(props) => <Link to="/rules/$id" params={{ id: rule.id }} {...props} />}>
          {name}
        </Anchor>
        {asText(rule.watches) && (
          <Badge ml="xs" variant="default" tt="none">
            {asText(rule.watches)}
          </Badge>
        )}
      </Table.Td>
      <Table.Td w={120}>
        <Switch
          aria-label={t('rules.enabledOf', { name })}
          checked={rule.enabled === true}
          onChange={(event) => onSwitch(event.currentTarget.checked)}
          label={rule.enabled === true ? t('rules.on') : t('rules.off')}
        />
      </Table.Td>
    </Table.Tr>
  );
}

/** A rule is dragged among its like, which stand above and below it. */
const upAndDown: Modifier = ({ transform }) => ({ ...transform, x: 0 });
