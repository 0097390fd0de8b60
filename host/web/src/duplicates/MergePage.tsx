import { Alert, Button, Group, List, Loader, Radio, Stack, Table, Text, Title } from '@mantine/core';
import { useMutation, useQueries, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { queryClient } from '~/api/cache';
import { type AnyRecord, answer, api, type Field, type ObjectDefinition, segmentOf } from '~/api/client';
import { finished } from '~/api/jobs';
import { useObjects } from '~/api/objects';
import { recordQuery } from '~/api/queries';
import { NotThere } from '~/components/NotThere';
import { FieldValue } from '~/fields/FieldValue';
import { isEmpty, same, titleOf } from '~/fields/values';
import { useWords } from '~/i18n/hooks';
import { offerUndo } from '~/objects/undo';
import { ErrorBox } from '~/ui/ErrorBox';

const route = getRouteApi('/merge/$objects');

/** Records side by side: which one stays, and whose value counts for each field. */
export function MergePage() {
  const { objects: segment } = route.useParams();
  const { ids } = route.useSearch();
  const object = useObjects().bySegment(segment);
  return object && ids.length >= 2 ? <Loaded key={ids.join()} object={object} ids={ids} /> : <NotThere what={segment} />;
}

function Loaded({ object, ids }: { object: ObjectDefinition; ids: readonly string[] }) {
  const { t } = useWords();
  const asked = useQueries({ queries: ids.map((id) => recordQuery(object, id)) });
  const failed = asked.find((one) => one.isError);
  const records = asked.flatMap((one) => one.data ?? []);
  return (
    <Stack p="md">
      <Title order={1} fz="h3">
        {t('merge.title')}
      </Title>
      {failed ? (
        <ErrorBox error={failed.error} />
      ) : records.length < ids.length ? (
        <Loader aria-label={t('loading')} />
      ) : (
        <Merge object={object} records={records} />
      )}
    </Stack>
  );
}

function Merge({ object, records }: { object: ObjectDefinition; records: readonly AnyRecord[] }) {
  const { t, label } = useWords();
  const navigate = useNavigate();
  const [winner, setWinner] = useState(records[0]?.id ?? '');
  const [choices, setChoices] = useState<Readonly<Record<string, string>>>({});
  const losers = records.filter((record) => record.id !== winner).map((record) => record.id);
  const body = { winner, losers, ...(Object.keys(choices).length > 0 && { choices }) };
  const path = { objects: segmentOf(object) };
  const plan = useQuery({
    queryKey: ['merge', object.name, body],
    // What was merged answers as what it became: then there is nothing left to plan.
    enabled: losers.length > 0,
    queryFn: async () =>
      answer(api.POST('/api/v1/{objects}/merge', { params: { path, query: { dry_run: true } }, body })) as Promise<unknown>,
  });
  const merge = useMutation({
    mutationFn: async () => finished(await answer(api.POST('/api/v1/{objects}/merge', { params: { path }, body }))),
    onSuccess: async (job) => {
      await navigate({ to: '/objects/$objects/$id', params: { objects: segmentOf(object), id: winner } });
      await queryClient.invalidateQueries({ queryKey: ['records'] });
      offerUndo(t('merge.done'), { job: job.id }, object.name);
    },
  });
  const differing = object.fields.filter((field) => !field.retired && differs(field, records));
  /** Without a choice the winner's value counts, and the first other one where it has none. */
  const counts = (field: Field): string | undefined =>
    choices[field.name] ?? [winner, ...losers].find((id) => !isEmpty(records.find((record) => record.id === id)?.[field.name]));
  const planned = plan.data as
    | { references?: { object: string; count: number; at_least: boolean }[]; warnings?: string[] }
    | undefined;
  return (
    <>
      <Text fz="sm">{t('merge.text')}</Text>
      <Table.ScrollContainer minWidth={300 + records.length * 240} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('conflict.field')}</Table.Th>
              {records.map((record) => (
                <Table.Th key={record.id}>
                  <Radio
                    name="winner"
                    label={t('merge.stays', { record: titleOf(object, record) })}
                    checked={record.id === winner}
                    onChange={() => setWinner(record.id)}
                  />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {differing.map((field) => (
              <Table.Tr key={field.name}>
                <Table.Th scope="row">{label(field.label)}</Table.Th>
                {records.map((record) => (
                  <Table.Td key={record.id}>
                    {field.writable ? (
                      <Radio
                        name={field.name}
                        aria-label={t('merge.take', { field: label(field.label), record: titleOf(object, record) })}
                        label={<FieldValue field={field} value={record[field.name]} />}
                        checked={counts(field) === record.id}
                        onChange={() => setChoices((old) => ({ ...old, [field.name]: record.id }))}
                      />
                    ) : (
                      <FieldValue field={field} value={record[field.name]} />
                    )}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {plan.isError && <ErrorBox error={plan.error} />}
      {planned && <Plan references={planned.references ?? []} warnings={planned.warnings ?? []} />}
      {merge.isError && <ErrorBox error={merge.error} />}
      <Group>
        <Button loading={merge.isPending} disabled={plan.isError} onClick={() => merge.mutate()}>
          {t('merge.merge', { count: records.length })}
        </Button>
      </Group>
    </>
  );
}

function differs(field: Field, records: readonly AnyRecord[]): boolean {
  return records.some((record) => !same(record[field.name], records[0]?.[field.name]));
}

interface PlanProps {
  readonly references: readonly { readonly object: string; readonly count: number; readonly at_least: boolean }[];
  readonly warnings: readonly string[];
}

/** What will follow the one that stays. */
function Plan({ references, warnings }: PlanProps) {
  const { t, label, formats } = useWords();
  const objects = useObjects();
  const moved = references.filter((one) => one.count > 0);
  return (
    <>
      {moved.length > 0 && (
        <Alert color="gray" title={t('merge.moves')}>
          {moved
            .map(
              ({ object, count, at_least }) =>
                `${label(objects.byName(object)?.plural_label) || object}: ${at_least ? '≥ ' : ''}${formats.number(count)}`,
            )
            .join(' · ')}
        </Alert>
      )}
      {warnings.length > 0 && (
        <Alert color="yellow">
          <List size="sm">
            {warnings.map((warning) => (
              <List.Item key={warning}>{warning}</List.Item>
            ))}
          </List>
        </Alert>
      )}
    </>
  );
}
