import { Alert, Badge, Button, Card, Code, List, Stack, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type ObjectDefinition, type Schemas } from '~/api/client';
import { fieldOf } from '~/api/objects';
import { FieldValue } from '~/fields/FieldValue';
import { ReferenceInput } from '~/fields/ReferenceInput';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import type { Draft } from './rules';

/** What the script as it stands would do to a record that is there. Nothing is written. */
export function TryRule({ object, draft }: { object: ObjectDefinition; draft: Draft }) {
  const { t, label } = useWords();
  const [id, setId] = useState<string | null>(null);
  const trial = useMutation({
    mutationFn: () => {
      const { source, trigger, reads_personal_data, watches } = draft;
      const body = {
        object: object.name,
        source,
        trigger,
        reads_personal_data,
        ...(watches && { watches }),
        ...(id && { on: { id } }),
      };
      return answer(api.POST('/api/v1/rules/test', { body }));
    },
  });
  return (
    <Stack>
      <ReferenceInput object={object} label={t('rules.tryOn', { object: label(object.label) })} value={id} onChange={setId} />
      <Button loading={trial.isPending} disabled={id === null} onClick={() => trial.mutate()}>
        {t('rules.tryIt')}
      </Button>
      <Text fz="xs" c="dimmed">
        {t('rules.tryHint')}
      </Text>
      {trial.isError && <ErrorBox error={trial.error} />}
      {trial.data && <Outcome object={object} outcome={trial.data} />}
    </Stack>
  );
}

function Outcome({ object, outcome }: { object: ObjectDefinition; outcome: Schemas['RuleTest'] }) {
  const { t, label } = useWords();
  const changes = Object.entries(outcome.changes);
  const failed = outcome.error as { line?: number; column?: number; message?: string } | null | undefined;
  const nothing = !failed && changes.length === 0 && outcome.vetoes.length === 0 && outcome.actions.length === 0;
  return (
    <Stack role="status" aria-label={t('rules.outcome')}>
      {failed && (
        <Alert color="red" title={t('rules.failed', { line: failed.line ?? '?', column: failed.column ?? '?' })}>
          {failed.message}
        </Alert>
      )}
      {nothing && <Alert color="gray">{t('rules.doesNothing')}</Alert>}
      {outcome.vetoes.length > 0 && (
        <Alert color="orange" title={t('rules.refuses')}>
          <List size="sm">
            {outcome.vetoes.map((veto) => (
              <List.Item key={`${veto.field}${veto.message}`}>
                {veto.field && (
                  <Badge tt="none" variant="default">
                    {label(fieldOf(object, veto.field)?.label) || veto.field}
                  </Badge>
                )}{' '}
                {veto.message}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      {changes.length > 0 && (
        <Card withBorder padding="sm">
          <Text component="h3" fz="sm" fw={600}>
            {t('rules.changes')}
          </Text>
          <Table fz="sm">
            <Table.Tbody>
              {changes.map(([name, change]) => {
                const field = fieldOf(object, name);
                const after = typeof change === 'object' && change !== null && 'after' in change ? change.after : change;
                return (
                  <Table.Tr key={name}>
                    <Table.Th scope="row">{field ? label(field.label) : name}</Table.Th>
                    <Table.Td>{field ? <FieldValue field={field} value={after} /> : JSON.stringify(after)}</Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Card>
      )}
      {outcome.actions.length > 0 && (
        <Card withBorder padding="sm">
          <Text component="h3" fz="sm" fw={600}>
            {t('rules.actions')}
          </Text>
          {outcome.actions.map((action) => (
            <Code key={JSON.stringify(action)} block mt={4}>
              {JSON.stringify(action, null, 2)}
            </Code>
          ))}
        </Card>
      )}
      {(outcome.reasons?.length ?? 0) > 0 && (
        <List size="sm">
          {outcome.reasons?.map((reason) => (
            <List.Item key={reason.code}>{reason.text}</List.Item>
          ))}
        </List>
      )}
      {(outcome.printed?.length ?? 0) > 0 && <Code block>{outcome.printed?.join('\n')}</Code>}
    </Stack>
  );
}
