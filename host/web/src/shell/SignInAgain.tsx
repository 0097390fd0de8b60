import { Button, Modal, Stack, Text } from '@mantine/core';
import { queryClient } from '~/api/cache';
import { useWords } from '~/i18n/hooks';
import { signOut } from '~/session';
import { TokenForm } from './SignIn';

/** The token ended while somebody worked: what is on the screen stays, and goes on with another one. */
export function SignInAgain() {
  const { t } = useWords();
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('signIn.expired')}
    >
      <Stack>
        <Text fz="sm">{t('signIn.expiredText')}</Text>
        <TokenForm onDone={() => void queryClient.invalidateQueries()} />
        <Button variant="subtle" color="gray" onClick={signOut}>
          {t('shell.signOut')}
        </Button>
      </Stack>
    </Modal>
  );
}
