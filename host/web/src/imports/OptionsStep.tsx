import { Button, Card, Group, Stack, Switch, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { queryClient } from '~/api/cache';
import { answer, api, type ObjectDefinition } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import { type Import, importQuery, outcomeOf } from './imports';
import { Outcomes } from './Outcomes';

interface Props {
  readonly prepared: Import;
  readonly object: ObjectDefinition;
  readonly onDone: () => void;
}

/** What shall happen besides. */
export function OptionsStep({ prepared, onDone }: Props) {
  const { t } = useWords();
  const [automations, setAutomations] = useState(prepared.automations === true);
  const outcome = outcomeOf(prepared.checked);
  const path = { id: prepared.id };
  const start = useMutation({
    mutationFn: async () => {
      await answer(api.PATCH('/api/v1/imports/{id}', { params: { path }, body: { automations } }));
      return answer(api.POST('/api/v1/imports/{id}/start', { params: { path } }));
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: importQuery(prepared.id).queryKey });
      onDone();
    },
  });
  return (
    <Stack>
      {outcome && <Outcomes outcome={outcome} planned />}
      <Card withBorder>
        <Switch
          label={t('import.automations')}
          description={t('import.automationsHint')}
          checked={automations}
          onChange={(event) => setAutomations(event.currentTarget.checked)}
        />
      </Card>
      <Text fz="sm" c="dimmed">
        {t('import.undoHint')}
      </Text>
      {start.isError && <ErrorBox error={start.error} />}
      <Group>
        <Button loading={start.isPending} onClick={() => start.mutate()}>
          {t('import.start', { count: prepared.rows })}
        </Button>
      </Group>
    </Stack>
  );
}
