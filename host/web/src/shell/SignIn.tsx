import { Box, Button, Card, Center, Checkbox, Group, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { asApiError } from '~/api/errors';
import { useWords } from '~/i18n/hooks';
import { signIn } from '~/session';
import { ErrorBox } from '~/ui/ErrorBox';
import { LanguageSwitch, ThemeSwitch } from './switches';

/** The first screen. */
export function SignIn() {
  const { t } = useWords();
  return (
    <Center component="main" mih="100vh" p="md">
      <Stack w={420} maw="100%">
        <Group justify="space-between">
          <Title order={1}>Trellis</Title>
          <Group gap="xs">
            <LanguageSwitch />
            <ThemeSwitch />
          </Group>
        </Group>
        <Text c="dimmed">{t('signIn.what')}</Text>
        <Card withBorder padding="lg">
          <TokenForm />
        </Card>
        <Box>
          <Text fz="sm" c="dimmed">
            {t('signIn.where')}
          </Text>
        </Box>
      </Stack>
    </Center>
  );
}

/** Takes a token and tries it before it is kept. */
export function TokenForm({ onDone }: { onDone?: () => void }) {
  const { t } = useWords();
  const [token, setToken] = useState('');
  const [remember, setRemember] = useState(false);
  const trial = useMutation({
    mutationFn: (text: string) => answer(api.GET('/api/v1/me', { headers: { Authorization: `Bearer ${text}` } })),
    onSuccess: (_, text) => {
      signIn(text, remember);
      onDone?.();
    },
  });
  const refused = trial.isError && asApiError(trial.error).status === 401;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        trial.mutate(token.trim());
      }}
    >
      <Stack>
        <PasswordInput
          label={t('signIn.token')}
          placeholder="trellis_…"
          autoComplete="current-password"
          required
          autoFocus
          data-autofocus
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={refused ? t('signIn.refused') : undefined}
          visibilityToggleButtonProps={{ 'aria-label': t('signIn.show') }}
        />
        <Checkbox
          label={t('signIn.remember')}
          checked={remember}
          onChange={(event) => setRemember(event.currentTarget.checked)}
        />
        {trial.isError && !refused && <ErrorBox error={trial.error} />}
        <Button type="submit" loading={trial.isPending} disabled={token.trim() === ''}>
          {t('signIn.submit')}
        </Button>
      </Stack>
    </form>
  );
}
