import { Alert, Badge, Button, Group, List, Modal, Stack, Text } from '@mantine/core';
import type { Schemas } from '~/api/client';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';
import type { SchemaChange } from './schema';

/** What a change of the schema would do, before it is done. */
export function PlanReview({ schema }: { schema: SchemaChange }) {
  const { t, label } = useWords();
  const plan = schema.waiting?.plan;
  const refused = plan?.refused ?? [];
  const nothing = plan && refused.length === 0 && plan.steps.length === 0;
  return (
    <Modal
      opened={plan !== undefined}
      onClose={schema.leave}
      title={t('admin.plan.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack>
        {refused.length > 0 && (
          <Alert color="red" title={t('admin.plan.refused')}>
            <List size="sm">
              {refused.map((reason) => (
                <List.Item key={reason.en}>{label(reason)}</List.Item>
              ))}
            </List>
          </Alert>
        )}
        {nothing && <Text>{t('admin.plan.nothing')}</Text>}
        <Steps steps={plan?.steps ?? []} />
        {schema.error !== null && <ErrorBox error={schema.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={schema.leave}>
            {t('cancel')}
          </Button>
          <Button
            color={plan?.steps.some((step) => step.destructive) ? 'red' : 'trellis'}
            disabled={refused.length > 0 || nothing === true}
            loading={schema.busy}
            onClick={schema.confirm}
          >
            {t('admin.plan.apply')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

export function Steps({ steps }: { steps: readonly Schemas['SchemaStep'][] }) {
  const { t, label } = useWords();
  return (
    <List size="sm">
      {steps.map((step) => (
        <List.Item key={`${step.kind}${step.object}${step.part}${step.text.en}`}>
          {label(step.text)}{' '}
          {step.destructive && (
            <Badge color="red" variant="light" c="var(--mantine-color-text)" size="sm" tt="none">
              {t('admin.plan.destructive')}
            </Badge>
          )}
        </List.Item>
      ))}
    </List>
  );
}
