import { ActionIcon, Anchor, Badge, Button, Card, Group, Stack, Switch, Table, Text, Title } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus } from '@tabler/icons-react';
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
import { toastError } from '~/ui/toasts';
import { nameOf, POSITION_STEP, TRIGGERS, useRuleChange } from './rules';

const RULES_MAX = 200;

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
  const { t, language } = useWords();
  const change = useRuleChange();
  const set = (id: string, fields: Record<string, unknown>) => change.mutate({ id, change: fields }, { onError: toastError });
  /** Between its new neighbours; where there is no room, all of them are numbered anew. */
  const move = async (index: number, by: 1 | -1) => {
    const next = [...rules];
    const [moved] = next.splice(index, 1);
    if (!moved) {
      return;
    }
    next.splice(index + by, 0, moved);
    for (const [place, rule] of next.entries()) {
      const position = (place + 1) * POSITION_STEP;
      if (rule.position !== position) {
        await change.mutateAsync({ id: rule.id, change: { position } }).catch(toastError);
      }
    }
  };
  return (
    <>
      <Text component="h3" fz="sm" c="dimmed">
        {title}
      </Text>
      <Table>
        <Table.Tbody>
          {rules.map((rule, index) => {
            const name = nameOf(rule, language);
            return (
              <Table.Tr key={rule.id}>
                <Table.Td w={80}>
                  <Group gap={2} wrap="nowrap">
                    <ActionIcon
                      variant="subtle"
                      size="sm"
                      disabled={index === 0 || change.isPending}
                      aria-label={t('rules.earlier', { name })}
                      onClick={() => void move(index, -1)}
                    >
                      <IconArrowUp size={14} />
                    </ActionIcon>
                    <ActionIcon
                      variant="subtle"
                      size="sm"
                      disabled={index === rules.length - 1 || change.isPending}
                      aria-label={t('rules.later', { name })}
                      onClick={() => void move(index, 1)}
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
                    onChange={(event) => set(rule.id, { enabled: event.currentTarget.checked })}
                    label={rule.enabled === true ? t('rules.on') : t('rules.off')}
                  />
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </>
  );
}
