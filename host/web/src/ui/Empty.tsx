import { Center, Stack, Text } from '@mantine/core';
import { IconInbox } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface Props {
  readonly title: string;
  readonly children?: ReactNode;
}

/** A place where nothing is yet, and what to do next. */
export function Empty({ title, children }: Props) {
  return (
    <Center mih={160} p="lg">
      <Stack align="center" gap="xs">
        <IconInbox size={32} stroke={1.2} aria-hidden />
        <Text c="dimmed" ta="center">
          {title}
        </Text>
        {children}
      </Stack>
    </Center>
  );
}
