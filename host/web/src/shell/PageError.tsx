import { Box, Button } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { queryClient } from '~/api/cache';
import { useWords } from '~/i18n/hooks';
import { ErrorBox } from '~/ui/ErrorBox';

/** A screen that could not be drawn: the rest of the page stays, and there is a way on. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const { t } = useWords();
  const again = () => {
    void queryClient.invalidateQueries().then(() => reset());
  };
  return (
    <Box p="md">
      <ErrorBox error={error} onRetry={again}>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          {t('error.reload')}
        </Button>
      </ErrorBox>
    </Box>
  );
}
