import { Button, Group, JsonInput, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectDefinition } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { toast } from '~/ui/toasts';
import { PlanReview } from './PlanReview';
import { applyDocument, definitionsQuery, useSchemaChange } from './schema';

/** All of an object's definition as text: what the other tabs have no place for as well. */
export function DefinitionTab({ object }: { object: ObjectDefinition }) {
  const { t } = useWords();
  const asked = useQuery(definitionsQuery);
  if (asked.isError) {
    return <ErrorBox error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  const definition = asked.data?.objects.find((one) => (one as { name?: string }).name === object.name);
  return definition ? (
    <DefinitionForm key={JSON.stringify(definition)} definition={definition} />
  ) : (
    <Loader aria-label={t('loading')} />
  );
}

function DefinitionForm({ definition }: { definition: object }) {
  const { t } = useWords();
  const before = JSON.stringify(definition, null, 2);
  const [text, setText] = useState(before);
  const parsed = parse(text);
  const schema = useSchemaChange(() => toast(t('admin.saved')), true);
  return (
    <Stack>
      <Text fz="sm" c="dimmed">
        {t('admin.definitionWhat')}
      </Text>
      <JsonInput
        aria-label={t('admin.tab.definition')}
        value={text}
        onChange={setText}
        error={parsed === undefined && t('field.notJson')}
        autosize
        minRows={12}
        maxRows={28}
        spellCheck={false}
      />
      {schema.error !== null && <ErrorBox error={schema.error} />}
      <Group>
        <Button
          disabled={parsed === undefined || text === before}
          loading={schema.busy}
          onClick={() => parsed && schema.change({ send: applyDocument({ format: 1, objects: [parsed as never] }) })}
        >
          {t('admin.plan.ask')}
        </Button>
        <Button variant="default" disabled={text === before} onClick={() => setText(before)}>
          {t('admin.reset')}
        </Button>
      </Group>
      <PlanReview schema={schema} />
    </Stack>
  );
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
