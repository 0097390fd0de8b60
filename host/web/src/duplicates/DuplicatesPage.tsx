import { Badge, Button, Card, Group, Select, Stack, Table, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { forgetRecords } from '~/api/cache';
import { type AnyRecord, answer, api, type ObjectDefinition, segmentOf } from '~/api/client';
import { finished } from '~/api/jobs';
import { useObjects } from '~/api/objects';
import { type Filter, someQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { RecordLink } from '~/components/RecordLink';
import { asText } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { Empty } from '~/ui/Empty';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast, toastError } from '~/ui/toasts';

const SHOWN_MAX = 50;
const OPEN: Filter = { field: 'state', op: 'eq', value: 'open' };

/** Pairs of records that may be the same, until somebody decides. */
export function DuplicatesPage() {
  const { t } = useWords();
  const pairs = useObjects().byName('duplicate_pair');
  useEffect(() => {
    document.title = `${t('duplicates.title')} · Trellis`;
  }, [t]);
  return pairs ? <Queue pairs={pairs} /> : <NotThere what="duplicates" />;
}

function Queue({ pairs }: { pairs: ObjectDefinition }) {
  const { t } = useWords();
  const asked = useQuery(someQuery(pairs, { filter: OPEN, sort: '-score' }, SHOWN_MAX));
  return (
    <Stack p="md">
      <Title order={1} fz="h3">
        {t('duplicates.title')}
      </Title>
      <Scan />
      {asked.isError && <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />}
      {asked.data?.data.length === 0 && <Empty title={t('duplicates.nothing')} />}
      {(asked.data?.data.length ?? 0) > 0 && (
        <Table.ScrollContainer minWidth={720} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('duplicates.records')}</Table.Th>
                <Table.Th>{t('duplicates.alike')}</Table.Th>
                <Table.Th>{t('duplicates.matched')}</Table.Th>
                <Table.Th>
                  <span className="only-said">{t('record.actions')}</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {asked.data?.data.map((pair) => (
                <PairRow key={pair.id} pair={pair} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}

function PairRow({ pair }: { pair: AnyRecord }) {
  const { t, label, formats } = useWords();
  const object = useObjects().byName(asText(pair.object));
  const dismiss = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH('/api/v1/{objects}/{id}', {
          params: { path: { objects: 'duplicate-pairs', id: pair.id } },
          body: { state: 'dismissed' },
        }),
      ),
    onSuccess: () => forgetRecords('duplicate_pair'),
    onError: toastError,
  });
  const [a, b] = [asText(pair.record_a), asText(pair.record_b)];
  const matched = asText(pair.matched_on)
    .split(/[,\s]+/)
    .filter(Boolean);
  if (!object) {
    return null;
  }
  const nameOf = (name: string) => label(object.fields.find((field) => field.name === name)?.label) || name;
  return (
    <Table.Tr>
      <Table.Td>
        <RecordLink object={object} id={a} /> · <RecordLink object={object} id={b} />
        <Text fz="xs" c="dimmed">
          {label(object.label)}
        </Text>
      </Table.Td>
      <Table.Td>{typeof pair.score === 'number' ? formats.number(pair.score, 2) : '–'}</Table.Td>
      <Table.Td>
        <Group gap={4}>
          {matched.map((name) => (
            <Badge key={name} variant="default" tt="none">
              {nameOf(name)}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td>
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button
            size="compact-sm"
            renderRoot={(props) => (
              <Link to="/merge/$objects" params={{ objects: segmentOf(object) }} search={{ ids: [a, b] }} {...props} />
            )}
          >
            {t('duplicates.compare')}
          </Button>
          <Button size="compact-sm" variant="default" loading={dismiss.isPending} onClick={() => dismiss.mutate()}>
            {t('duplicates.dismiss')}
          </Button>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

/** Looks for more, by a matching rule of an object. */
function Scan() {
  const { t, label } = useWords();
  const objects = useObjects();
  const rules = objects.all.flatMap((object) =>
    (object.matching_rules ?? []).map((raw) => {
      const rule = raw as { name?: string; label?: { en: string; 'zh-CN': string } };
      return {
        value: `${object.name}.${rule.name ?? ''}`,
        label: `${label(object.plural_label)}: ${label(rule.label) || (rule.name ?? '')}`,
      };
    }),
  );
  const [chosen, setChosen] = useState<string | null>(rules[0]?.value ?? null);
  const scan = useMutation({
    mutationFn: async (key: string) => {
      const [name = '', rule = ''] = key.split('.');
      const object = objects.byName(name);
      const path = { objects: object ? segmentOf(object) : name };
      return finished(await answer(api.POST('/api/v1/{objects}/duplicates/scan', { params: { path }, body: { rule } })));
    },
    onSuccess: async () => {
      await forgetRecords('duplicate_pair');
      toast(t('duplicates.scanned'));
    },
  });
  return (
    <Card withBorder>
      <Group align="flex-end">
        <Select label={t('duplicates.rule')} data={rules} value={chosen} onChange={setChosen} w={340} maw="100%" />
        <Button variant="default" loading={scan.isPending} disabled={!chosen} onClick={() => chosen && scan.mutate(chosen)}>
          {t('duplicates.scan')}
        </Button>
      </Group>
      {scan.isError && <ErrorBox error={scan.error} />}
    </Card>
  );
}
