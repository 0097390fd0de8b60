import { Button, Group, Text } from '@mantine/core';
import { forgetRecords } from '~/api/cache';
import { answer, api, type Schemas } from '~/api/client';
import { finished } from '~/api/jobs';
import { i18next } from '~/i18n';
import { hideToast, toast, toastError } from '~/ui/toasts';

const OFFERED_MS = 12_000;

/** Says what was done, and takes it back for those who did not mean it. */
export function offerUndo(message: string, target: Schemas['UndoTarget'], object: string) {
  const id = toast(
    <Group justify="space-between" wrap="nowrap">
      <Text fz="sm">{message}</Text>
      <Button
        size="compact-sm"
        variant="light"
        onClick={() => {
          hideToast(id);
          void undo(target, object);
        }}
      >
        {i18next.t('undo.title')}
      </Button>
    </Group>,
    OFFERED_MS,
  );
}

async function undo(target: Schemas['UndoTarget'], object: string) {
  try {
    await finished(await answer(api.POST('/api/v1/undo', { body: { target } })));
    toast(i18next.t('undo.done'));
  } catch (error) {
    toastError(error);
  }
  await forgetRecords(object);
}
