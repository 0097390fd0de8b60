import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useWords } from '~/i18n/hooks';

/** An address that leads nowhere: an object that was retired, a pack that was removed, a slip of the keyboard. */
export function NotThere({ what }: { what: string }) {
  const { t } = useWords();
  return (
    <Center h="100%" p="xl">
      <Stack align="center" maw={480}>
        <Title order={1} fz="h3">
          {t('notThere.title', { what })}
        </Title>
        <Text c="dimmed" ta="center">
          {t('notThere.text')}
        </Text>
        <Button renderRoot={(props) => <Link to="/" {...props} />}>{t('notThere.home')}</Button>
      </Stack>
    </Center>
  );
}
