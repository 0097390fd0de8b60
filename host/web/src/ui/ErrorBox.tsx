import { Alert, Button, Code, Group, List, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import { asApiError } from '~/api/errors';
import { useWords } from '~/i18n/hooks';
import { adviceOf } from './advice';

interface Props {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  /** A way on beside trying again. */
  readonly children?: React.ReactNode;
}

/** What went wrong, what to do, and by which id the server's log knows it. */
export function ErrorBox({ error, onRetry, children }: Props) {
  const { t } = useWords();
  const problem = asApiError(error);
  const { title, advice } = adviceOf(problem, t);
  const details = problem.problem?.errors ?? [];
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title} role="alert">
      <Stack gap="xs">
        {problem.problem?.detail && <Text fz="sm">{problem.problem.detail}</Text>}
        {details.length > 0 && (
          <List size="sm">
            {details.map(({ field, code, message }) => (
              <List.Item key={`${field}${code}${message}`}>
                <Code>{field}</Code> {message}
              </List.Item>
            ))}
          </List>
        )}
        <Text fz="sm">{advice}</Text>
        {problem.correlationId && (
          <Text fz="xs" c="dimmed">
            {t('error.correlation')} <Code>{problem.correlationId}</Code>
          </Text>
        )}
        <Group gap="xs">
          {onRetry && (
            <Button size="xs" variant="light" color="red" leftSection={<IconRefresh size={14} />} onClick={onRetry}>
              {t('error.retry')}
            </Button>
          )}
          {children}
        </Group>
      </Stack>
    </Alert>
  );
}
