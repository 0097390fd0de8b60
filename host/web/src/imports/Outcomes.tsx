import { Card, SimpleGrid, Text } from '@mantine/core';
import { useWords } from '~/i18n/hooks';
import type { Outcome } from './imports';

const COUNTS = ['created', 'updated', 'unchanged', 'failed', 'dropped', 'created_references'] as const;

/** How many rows became what, or would. */
export function Outcomes({ outcome, planned }: { outcome: Outcome; planned?: boolean }) {
  const { t, formats } = useWords();
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, md: 6 }} component="dl" m={0}>
      {COUNTS.map((name) => (
        <Card key={name} withBorder padding="xs">
          <Text component="dt" fz="xs" c="dimmed">
            {t(planned ? `import.would.${name}` : `import.did.${name}`)}
          </Text>
          <Text
            component="dd"
            m={0}
            fz="lg"
            fw={600}
            c={name === 'failed' && outcome.failed > 0 ? 'var(--mantine-color-error)' : undefined}
          >
            {formats.number(outcome[name] ?? 0)}
          </Text>
        </Card>
      ))}
    </SimpleGrid>
  );
}
