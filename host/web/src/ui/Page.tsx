import { Group, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

interface Props {
  readonly title: string;
  /** What the screen is for, in a sentence. */
  readonly what?: string;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** A screen with its name, which the browser's tab has too. */
export function Page({ title, what, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Trellis`;
  }, [title]);
  return (
    <Stack p="md">
      <Group justify="space-between" align="flex-start">
        <Title order={1} fz="h3">
          {title}
        </Title>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {what && (
        <Text fz="sm" c="dimmed">
          {what}
        </Text>
      )}
      {children}
    </Stack>
  );
}
